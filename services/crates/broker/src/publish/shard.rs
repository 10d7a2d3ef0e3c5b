//! One channel, on which publications are sent a batch at a time.

use std::time::Duration;

use lapin::options::ConfirmSelectOptions;
use tokio::sync::mpsc;
use tokio_util::sync::CancellationToken;
use tracing::{debug, warn};

use super::{
    Publication, PublishError, PublishRequest,
    batch::{self, Outcome},
};
use crate::link::{Link, LiveChannel, NoChannel, answered};

/// Maximum publications of one batch.
const BATCH: usize = 64;

/// How long the confirms of a batch may take before the batch is given up and its channel closed.
const BATCH_TIMEOUT: Duration = Duration::from_secs(30);

/// Publishes requests until the link is closed for good.
pub(super) async fn run(link: Link, mut requests: mpsc::Receiver<PublishRequest>, until: CancellationToken) {
    let mut shard = Shard { link, channel: None };
    let mut batch = Vec::with_capacity(BATCH);
    while let Some(1..) = until.run_until_cancelled(requests.recv_many(&mut batch, BATCH)).await {
        // A caller that has given up may publish the same message again: it must not be published twice.
        batch.retain(|request| !request.reply.is_closed());
        let requests = std::mem::take(&mut batch);
        if until.run_until_cancelled(shard.publish(requests)).await.is_none() {
            break;
        }
    }
}

struct Shard {
    link: Link,
    channel: Option<LiveChannel>,
}

impl Shard {
    async fn publish(&mut self, requests: Vec<PublishRequest>) {
        if requests.len() == 1 {
            return self.publish_one(requests).await;
        }
        if let Some(requests) = self.publish_together(requests).await {
            // The broker closed the channel because of one of them: published alone, each gets its own outcome.
            for request in requests {
                self.publish_one(vec![request]).await;
            }
        }
    }

    async fn publish_one(&mut self, request: Vec<PublishRequest>) {
        let refused = |publication: &Publication, reason: &str| PublishError::Refused {
            message_id: publication.message_id.clone(),
            exchange: publication.exchange.clone(),
            reason: reason.to_owned(),
        };
        match self.attempt(&request).await {
            Attempt::Settled(outcomes) => settle(request, &outcomes),
            Attempt::Refused(reason) => fail(request, |publication| refused(publication, &reason)),
            Attempt::Failed(failure) => fail(request, |publication| failure.error_for(publication)),
        }
    }

    /// Publishes a batch; returns the requests when the broker refused one of them.
    async fn publish_together(&mut self, requests: Vec<PublishRequest>) -> Option<Vec<PublishRequest>> {
        match self.attempt(&requests).await {
            Attempt::Settled(outcomes) => settle(requests, &outcomes),
            Attempt::Refused(reason) => {
                debug!(%reason, batch = requests.len(), "refused: publishing one by one");
                return Some(requests);
            }
            Attempt::Failed(failure) => fail(requests, |publication| failure.error_for(publication)),
        }
        None
    }

    async fn attempt(&mut self, requests: &[PublishRequest]) -> Attempt {
        let channel = match self.open().await {
            Ok(channel) => channel,
            Err(NoChannel::Closed) => return Attempt::Failed(Failure::Closed),
            Err(NoChannel::Failed(failure)) => return Attempt::Failed(Failure::Lost(failure.to_string())),
        };
        let publications: Vec<&Publication> = requests.iter().map(|request| &request.publication).collect();
        let attempt = tokio::time::timeout(BATCH_TIMEOUT, batch::publish(&channel, &publications)).await;
        let Ok(Ok(outcomes)) = attempt else {
            self.channel = None;
            return match attempt {
                Ok(Err(failure)) if failure.is_amqp_soft_error() => Attempt::Refused(failure.to_string()),
                Ok(Err(failure)) => Attempt::Failed(Failure::Lost(failure.to_string())),
                _ => Attempt::Failed(Failure::TimedOut),
            };
        };
        Attempt::Settled(outcomes)
    }

    /// The channel, in confirm mode.
    async fn open(&mut self) -> Result<LiveChannel, NoChannel> {
        if let Some(channel) = self.channel.as_ref().filter(|channel| channel.is_alive()) {
            return Ok(channel.clone());
        }
        let channel = self.link.channel().await?;
        answered(channel.confirm_select(ConfirmSelectOptions::default())).await?;
        self.channel = Some(channel.clone());
        Ok(channel)
    }
}

/// The outcome of publishing a batch.
enum Attempt {
    Settled(Vec<Outcome>),
    Refused(String),
    Failed(Failure),
}

enum Failure {
    Closed,
    TimedOut,
    Lost(String),
}

impl Failure {
    fn error_for(&self, publication: &Publication) -> PublishError {
        let message_id = publication.message_id.clone();
        match self {
            Self::Closed => PublishError::Closed { message_id },
            Self::TimedOut => PublishError::TimedOut { message_id, after: BATCH_TIMEOUT },
            Self::Lost(reason) => PublishError::Disconnected { message_id, reason: reason.clone() },
        }
    }
}

fn settle(requests: Vec<PublishRequest>, outcomes: &[Outcome]) {
    for (request, outcome) in requests.into_iter().zip(outcomes) {
        let result = outcome.result(&request.publication);
        request.reply(result);
    }
}

fn fail(requests: Vec<PublishRequest>, fault: impl Fn(&Publication) -> PublishError) {
    for request in requests {
        let fault = fault(&request.publication);
        warn!(message.id = %request.publication.message_id, %fault, "not confirmed");
        request.reply(Err(fault));
    }
}
