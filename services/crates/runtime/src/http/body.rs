//! Bodies of requests: each must keep arriving, and none is left unread without telling the client.

use std::{
    pin::Pin,
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicBool, Ordering},
    },
    task::{Context, Poll},
    time::Duration,
};

use axum::{
    body::{Body, Bytes, HttpBody},
    extract::Request,
    http::{HeaderValue, StatusCode, header},
    middleware::Next,
    response::{IntoResponse, Response},
};
use tokio::time::{Instant, Sleep, sleep_until, timeout};

use super::{BODY_LIMIT_BYTES, Problem};

/// How long a body may take before its rate counts: longer than the pauses of a bad line.
pub const BODY_GRACE: Duration = Duration::from_secs(15);

/// The rate at which a body must arrive from then on: half of a line of 64 kbit/s, the slowest that agencies have. A
/// connection whose body trickles would otherwise be held for ever, by anybody.
pub const BODY_RATE_BYTES_PER_S: u64 = 4 * 1024;

/// How long the rest of a body is read that a route refused without reading it. A client that finds the connection closed while
/// it still sends may not see the answer.
const DRAIN_TIME: Duration = Duration::from_secs(2);

/// How much of it is read at most: a body somewhat above the limit, so that its sender sees 413.
const DRAIN_BYTES: usize = 2 * BODY_LIMIT_BYTES;

/// 413 for a body above [`BODY_LIMIT_BYTES`].
pub fn body_too_large() -> Problem {
    body_larger_than(BODY_LIMIT_BYTES)
}

/// 413 for a body above a route's limit.
pub(super) fn body_larger_than(limit_bytes: usize) -> Problem {
    Problem::new(StatusCode::PAYLOAD_TOO_LARGE, "body_too_large")
        .detail(format!("The body is larger than {limit_bytes} bytes."))
}

/// Refuses a body that does not keep arriving, with 408. When a route answers without having read the whole body, the rest is
/// read and dropped; where that would take long, the answer says that the connection is closed after it.
pub(super) async fn bodies_keep_arriving(request: Request, next: Next) -> Response {
    let (parts, body) = request.into_parts();
    if body.is_end_stream() {
        return next.run(Request::from_parts(parts, body)).await;
    }
    // Such a client sends its body only after it is asked to, so there is nothing to drain.
    let waits_for_go = parts.headers.contains_key(header::EXPECT);
    let arrival = Arc::new(Arrival::default());
    let timed = TimedBody::new(body, Arc::clone(&arrival));
    let mut response = next.run(Request::from_parts(parts, Body::new(timed))).await;
    let is_late = arrival.is_late.load(Ordering::Relaxed);
    if is_late {
        response = too_slow().into_response();
    }
    let rest = arrival.rest.lock().unwrap_or_else(PoisonError::into_inner).take();
    let is_whole = match rest {
        Some(rest) if !is_late && !waits_for_go => timeout(DRAIN_TIME, drain(rest)).await.unwrap_or_default(),
        Some(_) => false,
        None => !is_late,
    };
    if !is_whole {
        response.headers_mut().insert(header::CONNECTION, HeaderValue::from_static("close"));
    }
    response
}

fn too_slow() -> Problem {
    Problem::new(StatusCode::REQUEST_TIMEOUT, "body_too_slow").detail(format!(
        "The body did not arrive in time: {} s, and {BODY_RATE_BYTES_PER_S} bytes a second from then on. Send the request again.",
        BODY_GRACE.as_secs()
    ))
}

/// Reads and drops the rest of a body. Returns `false` when it is too long, or breaks off.
async fn drain(mut rest: Body) -> bool {
    let mut left = DRAIN_BYTES;
    while let Some(frame) = std::future::poll_fn(|cx| Pin::new(&mut rest).poll_frame(cx)).await {
        let Ok(frame) = frame else { return false };
        let length = frame.data_ref().map_or(0, Bytes::len);
        match left.checked_sub(length) {
            Some(less) => left = less,
            None => return false,
        }
    }
    true
}

/// What became of a body.
#[derive(Default)]
struct Arrival {
    /// It did not arrive in time.
    is_late: AtomicBool,
    /// The body, where nobody read it to its end.
    rest: Mutex<Option<Body>>,
}

/// A body with a deadline, which moves with every byte.
struct TimedBody {
    /// `None` once it was read to its end.
    inner: Option<Body>,
    arrival: Arc<Arrival>,
    since: Instant,
    received: u64,
    deadline: Pin<Box<Sleep>>,
}

impl TimedBody {
    fn new(inner: Body, arrival: Arc<Arrival>) -> Self {
        let since = Instant::now();
        let deadline = Box::pin(sleep_until(since + BODY_GRACE));
        Self { inner: Some(inner), arrival, since, received: 0, deadline }
    }

    fn count(&mut self, bytes: usize) {
        self.received = self.received.saturating_add(bytes as u64);
        let at_the_rate = Duration::from_secs(self.received / BODY_RATE_BYTES_PER_S);
        self.deadline.as_mut().reset(self.since + BODY_GRACE + at_the_rate);
    }
}

impl HttpBody for TimedBody {
    type Data = Bytes;
    type Error = axum::Error;

    fn poll_frame(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<http_body::Frame<Bytes>, axum::Error>>> {
        let this = self.get_mut();
        let Some(inner) = &mut this.inner else { return Poll::Ready(None) };
        match Pin::new(inner).poll_frame(cx) {
            Poll::Ready(Some(Ok(frame))) => {
                this.count(frame.data_ref().map_or(0, Bytes::len));
                Poll::Ready(Some(Ok(frame)))
            }
            Poll::Ready(Some(Err(broken))) => Poll::Ready(Some(Err(broken))),
            Poll::Ready(None) => {
                this.inner = None;
                Poll::Ready(None)
            }
            Poll::Pending if this.deadline.as_mut().poll(cx).is_ready() => {
                this.arrival.is_late.store(true, Ordering::Relaxed);
                Poll::Ready(Some(Err(axum::Error::new("the body did not arrive in time"))))
            }
            Poll::Pending => Poll::Pending,
        }
    }

    fn is_end_stream(&self) -> bool {
        self.inner.as_ref().is_none_or(Body::is_end_stream)
    }

    fn size_hint(&self) -> http_body::SizeHint {
        self.inner.as_ref().map(Body::size_hint).unwrap_or_default()
    }
}

impl Drop for TimedBody {
    fn drop(&mut self) {
        let unread = self.inner.take().filter(|inner| !inner.is_end_stream());
        *self.arrival.rest.lock().unwrap_or_else(PoisonError::into_inner) = unread;
    }
}

#[cfg(test)]
mod tests {
    use axum::{Router, routing::post};
    use tokio::time::sleep;
    use tower::ServiceExt as _;

    use super::*;
    use crate::http::with_layers;

    /// A body of `pieces`, each after a pause.
    fn trickle(pause: Duration, pieces: usize, size: usize) -> Body {
        let stream = futures::stream::unfold(0, move |sent| async move {
            if sent == pieces {
                return None;
            }
            sleep(pause).await;
            Some((Ok::<_, std::io::Error>(vec![b'x'; size]), sent + 1))
        });
        Body::from_stream(stream)
    }

    async fn ask(path: &str, body: Body) -> (u16, bool, Duration) {
        let router = Router::new()
            .route("/read", post(async |body: Bytes| body.len().to_string()))
            .route("/refuse", post(async || StatusCode::UNAUTHORIZED));
        let began = Instant::now();
        let request = Request::post(path).body(body).expect("a request");
        let answer = with_layers(router).oneshot(request).await.expect("answers");
        let closes = answer.headers().get(header::CONNECTION).is_some_and(|value| value == "close");
        (answer.status().as_u16(), closes, began.elapsed())
    }

    #[tokio::test(start_paused = true)]
    async fn a_body_that_trickles_is_refused_in_time() {
        let (status, closes, took) = ask("/read", trickle(Duration::from_secs(5), 1000, 1)).await;
        assert_eq!((status, closes), (408, true));
        assert!(took <= BODY_GRACE + Duration::from_secs(1), "{took:?}");
        let (status, closes, took) =
            ask("/read", Body::from_stream(futures::stream::pending::<std::io::Result<Bytes>>())).await;
        assert_eq!((status, closes), (408, true));
        assert!(took <= BODY_GRACE + Duration::from_secs(1), "{took:?}");
    }

    #[tokio::test(start_paused = true)]
    async fn the_largest_body_on_the_slowest_line_is_taken() {
        // 64 kbit/s: 8 KiB each second, for 128 seconds.
        let (status, closes, took) = ask("/read", trickle(Duration::from_secs(1), 128, 8 * 1024)).await;
        assert_eq!((status, closes), (200, false));
        assert!(took > Duration::from_secs(120), "{took:?}");
    }

    #[tokio::test(start_paused = true)]
    async fn what_a_route_leaves_unread_is_drained_or_said() {
        let (status, closes, _) = ask("/refuse", trickle(Duration::from_millis(10), 10, 1024)).await;
        assert_eq!((status, closes), (401, false), "read and dropped");
        let (status, closes, took) = ask("/refuse", trickle(Duration::from_secs(60), 10, 1024)).await;
        assert_eq!((status, closes), (401, true), "it would have to be waited for");
        assert!(took <= DRAIN_TIME + Duration::from_secs(1), "{took:?}");
        let (status, closes, _) = ask("/refuse", trickle(Duration::ZERO, 1000, 1024 * 1024)).await;
        assert_eq!((status, closes), (401, true), "too long");
        assert_eq!(ask("/nowhere", trickle(Duration::ZERO, 2, 10)).await.0, 404);
        assert!(!ask("/refuse", Body::empty()).await.1);
    }
}
