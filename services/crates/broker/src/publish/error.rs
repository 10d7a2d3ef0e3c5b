//! The errors of publishing.

use std::time::Duration;

/// A publication that was not confirmed.
#[derive(Debug, thiserror::Error)]
pub enum PublishError {
    /// No queue is bound for this routing key: the broker returned the message.
    #[error("message {message_id} was returned: no queue behind exchange {exchange} takes {routing_key}")]
    Unroutable {
        /// The message.
        message_id: String,
        /// The exchange it was published to.
        exchange: String,
        /// The routing key for which no queue is bound.
        routing_key: String,
    },
    /// The broker closed the channel because of it: no permission, no such exchange, too large.
    #[error("message {message_id} was refused by exchange {exchange}: {reason}")]
    Refused {
        /// The message.
        message_id: String,
        /// The exchange it was published to.
        exchange: String,
        /// The broker's reason.
        reason: String,
    },
    /// AMQP cannot carry the publication.
    #[error("message {message_id} cannot be published: {field} is longer than 255 bytes")]
    TooLong {
        /// The message.
        message_id: String,
        /// The property that is too long.
        field: &'static str,
    },
    /// The broker could not keep the message.
    #[error("message {message_id} was not kept by the broker")]
    Nacked {
        /// The message.
        message_id: String,
    },
    /// No confirm came in time.
    #[error("message {message_id} was not confirmed within {} s", after.as_secs())]
    TimedOut {
        /// The message.
        message_id: String,
        /// How long the publication waited.
        after: Duration,
    },
    /// The connection was lost before the confirm came.
    #[error("connection lost before message {message_id} was confirmed: {reason}")]
    Disconnected {
        /// The message.
        message_id: String,
        /// Why the connection was lost.
        reason: String,
    },
    /// The service is stopping.
    #[error("message {message_id} was not published: the connection has been closed for good")]
    Closed {
        /// The message.
        message_id: String,
    },
}

impl PublishError {
    /// Whether trying again later can help although nobody mends anything.
    pub fn is_transient(&self) -> bool {
        match self {
            Self::Nacked { .. } | Self::TimedOut { .. } | Self::Disconnected { .. } | Self::Closed { .. } => {
                true
            }
            Self::Unroutable { .. } | Self::Refused { .. } | Self::TooLong { .. } => false,
        }
    }

    /// The label in metrics.
    pub(crate) fn label(&self) -> &'static str {
        match self {
            Self::Unroutable { .. } => "returned",
            Self::Refused { .. } => "refused",
            Self::TooLong { .. } => "too_long",
            Self::Nacked { .. } => "nacked",
            Self::TimedOut { .. } => "timed_out",
            Self::Disconnected { .. } => "disconnected",
            Self::Closed { .. } => "closed",
        }
    }
}
