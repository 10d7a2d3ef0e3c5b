//! What a route answers when it does not do what was asked.

use axum::http::StatusCode;
use rovuma_api::StoreProblems;
use rovuma_runtime::Problem;

use crate::{error::DbError, exchange::send::SendError, gateway::Gateway};

/// A refusal or a failure of a route of the gateway.
pub(crate) type ApiError = rovuma_api::ApiError<Gateway>;

impl StoreProblems for Gateway {
    fn storage_full() -> Problem {
        Problem::new(StatusCode::INSUFFICIENT_STORAGE, "storage_full").detail(
            "The gateway's disk is full. Nothing was changed and nothing was lost; the operator has to make room.",
        )
    }

    fn storage_unavailable() -> Problem {
        Problem::unavailable("storage_unavailable")
            .detail("The gateway cannot reach its store now. Try again shortly.")
    }
}

impl From<DbError> for ApiError {
    fn from(fault: DbError) -> Self {
        let is_transient = fault.is_transient();
        Self::of_query(fault, is_transient)
    }
}

impl From<SendError> for ApiError {
    fn from(fault: SendError) -> Self {
        match fault {
            SendError::Db(fault) => fault.into(),
            SendError::NotServed { agency } => Problem::new(StatusCode::FORBIDDEN, "agency_not_served")
                .detail(format!("This gateway does not sign for {agency}."))
                .into(),
            SendError::Signer { .. } => {
                let problem = Problem::unavailable("signing_unavailable")
                    .detail("The agency's signing key does not answer now. Nothing was sent.");
                Self::because(problem, fault)
            }
        }
    }
}
