//! What a route answers when it does not do what was asked.

use axum::http::StatusCode;
use rovuma_api::StoreProblems;
use rovuma_runtime::Problem;

use crate::{error::DbError, imports::ImportFault, lists::ListError, watchlist::Watchlist};

/// A refusal or a failure of a route.
pub(super) type ApiError = rovuma_api::ApiError<Watchlist>;

impl StoreProblems for Watchlist {
    fn storage_full() -> Problem {
        Problem::new(StatusCode::INSUFFICIENT_STORAGE, "storage_full")
            .detail("The watchlist's disk is full: it cannot keep what is found, so it says nothing. Telephone the duty desk.")
    }

    fn storage_unavailable() -> Problem {
        Problem::unavailable("storage_unavailable")
            .detail("The watchlist cannot be reached now. Try again shortly.")
    }
}

impl From<DbError> for ApiError {
    fn from(fault: DbError) -> Self {
        match fault {
            DbError::Query(fault) => fault.into(),
            damaged @ DbError::Damaged { .. } => Self::failed(damaged),
        }
    }
}

impl From<ImportFault> for ApiError {
    fn from(fault: ImportFault) -> Self {
        let refused =
            |detail: String| Problem::new(StatusCode::UNPROCESSABLE_ENTITY, "list_refused").detail(detail);
        match fault {
            ImportFault::List(ListError::Io(_) | ListError::Sink(_)) | ImportFault::Thread(_) => {
                Self::failed(fault)
            }
            ImportFault::List(_) => {
                refused(format!("{fault}. Nothing of this file is used: the list in force stays.")).into()
            }
            ImportFault::NoList => refused(format!("{fault}.")).into(),
            ImportFault::Body(_) => Problem::bad_request("bad_request")
                .detail("The body did not arrive whole, or is larger than 256 MiB. Nothing of it is used.")
                .into(),
            ImportFault::Write(fault) => fault.into(),
        }
    }
}
