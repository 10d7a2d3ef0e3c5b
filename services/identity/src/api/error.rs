//! What a route answers when it does not do what was asked.

use axum::http::StatusCode;
use rovuma_api::StoreProblems;
use rovuma_runtime::Problem;
use rovuma_store::WriteError;

use crate::{app::App, fault::Fault};

/// A refusal or a failure of a route of the API.
pub(super) type ApiError = rovuma_api::ApiError<App>;

impl StoreProblems for App {
    fn storage_full() -> Problem {
        Problem::new(StatusCode::INSUFFICIENT_STORAGE, "storage_full")
            .detail("There is no room left to keep this. Nothing was done.")
    }

    fn storage_unavailable() -> Problem {
        Problem::unavailable("busy").detail("The service cannot do this now. Try again in a moment.")
    }
}

impl From<Fault> for ApiError {
    fn from(fault: Fault) -> Self {
        let problem = match &fault {
            Fault::Write(WriteError::Full) => App::storage_full(),
            _ if fault.is_transient() => App::storage_unavailable(),
            _ => Problem::internal(),
        };
        Self::because(problem, fault)
    }
}
