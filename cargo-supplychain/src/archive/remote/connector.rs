//! How object_store reaches its servers: by our own HTTP client, so that its bounds, its TLS and its rule of which URLs are asked hold here
//! too. It blocks the thread that asks, which waits for the answer anyway: each operation of a store has an executor of its own.

use std::fmt;
use std::io::Read;
use std::pin::Pin;
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Context, Poll};
use std::time::Duration;

use async_trait::async_trait;
use bytes::{Buf, Bytes};
use futures_util::StreamExt;
use http_body::Frame;
use object_store::ClientOptions;
use object_store::client::{
    HttpClient, HttpConnector, HttpError, HttpErrorKind, HttpRequest, HttpResponse, HttpResponseBody, HttpService,
};

use crate::base::Http;
use crate::base::http::{Content, Error, Exchange, Method};
use crate::http::Client;

/// What object_store collects whole: a page of a list, a token, an error.
const MAX_COLLECTED: u64 = 32 << 20;
/// What it hands on as a stream: the largest object that S3 keeps.
const MAX_STREAMED: u64 = 5 << 40;
/// The whole of a request that brings or gives little.
const SMALL_WITHIN: Duration = Duration::from_secs(120);
/// The whole of one that may bring or give much.
const LARGE_WITHIN: Duration = Duration::from_secs(4 * 3600);
const CHUNK: usize = 64 << 10;

/// Hands our client to object_store. Its own options of a client (proxies, certificates that need not hold, plain HTTP) count for nothing.
#[derive(Clone)]
pub struct Connector {
    pub client: Arc<Client>,
    /// Whether S3 is spoken, which completes an upload in parts on the condition that nothing is there. object_store does not ask it for that.
    pub is_s3: bool,
}

impl fmt::Debug for Connector {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Connector")
    }
}

impl HttpConnector for Connector {
    fn connect(&self, _options: &ClientOptions) -> object_store::Result<HttpClient> {
        Ok(HttpClient::new(self.clone()))
    }
}

#[async_trait]
impl HttpService for Connector {
    async fn call(&self, request: HttpRequest) -> Result<HttpResponse, HttpError> {
        let (parts, body) = request.into_parts();
        let url = parts.uri.to_string();
        if asks_the_machine(parts.uri.host().unwrap_or_default()) {
            return Err(HttpError::new(HttpErrorKind::Unknown, NoCredentials));
        }
        let method = method(parts.method.as_str()).ok_or_else(|| HttpError::new(HttpErrorKind::Unknown, Error::Refused))?;
        let headers: Vec<(&str, &str)> =
            parts.headers.iter().filter_map(|(name, value)| Some((name.as_str(), value.to_str().ok()?))).collect();
        // Our client counts the bytes itself.
        let headers: Vec<_> = headers.into_iter().filter(|(name, _)| !matches!(*name, "content-length" | "host")).collect();
        let mut headers = headers;
        // `CompleteMultipartUpload`; of the headers only the host and those of Amazon's own have to be signed.
        if self.is_s3 && method == Method::Post && parts.uri.query().is_some_and(|query| query.contains("uploadId=")) {
            headers.push(("if-none-match", "*"));
        }
        let mut sent = Vec::new();
        let length = body.content_length() as u64;
        let mut frames = http_body_frames(body);
        while let Some(frame) = frames.next().await {
            sent.push(frame?);
        }
        let mut sent = Chunks(sent.into());
        let has_body = length > 0 || matches!(method, Method::Put | Method::Post | Method::Patch);
        let streams = method == Method::Get && parts.uri.query().is_none();
        let exchange = Exchange {
            method,
            url: &url,
            headers: &headers,
            body: has_body.then_some(Content { length, bytes: &mut sent }),
            limit: if streams { MAX_STREAMED } else { MAX_COLLECTED },
            within: if streams || length > CHUNK as u64 { LARGE_WITHIN } else { SMALL_WITHIN },
        };
        let answer = self.client.exchange(exchange).map_err(told)?;
        let mut response = HttpResponse::new(HttpResponseBody::from(Vec::new()));
        *response.status_mut() = answer.status.try_into().map_err(|error| HttpError::new(HttpErrorKind::Decode, error))?;
        for (name, value) in &answer.headers {
            let (Ok(name), Ok(value)) = (name.parse::<HeaderName>(), value.parse()) else { continue };
            response.headers_mut().append(name, value);
        }
        *response.body_mut() = HttpResponseBody::new(Body(Mutex::new(answer.body)));
        Ok(response)
    }
}

type HeaderName = ureq::http::HeaderName;

fn http_body_frames(body: object_store::client::HttpRequestBody) -> impl futures_util::Stream<Item = Result<Bytes, HttpError>> {
    let mut body = Box::pin(body);
    futures_util::stream::poll_fn(move |context| {
        loop {
            match http_body::Body::poll_frame(body.as_mut(), context) {
                Poll::Ready(Some(Ok(frame))) => {
                    if let Ok(data) = frame.into_data() {
                        return Poll::Ready(Some(Ok(data)));
                    }
                }
                Poll::Ready(Some(Err(error))) => return Poll::Ready(Some(Err(error))),
                Poll::Ready(None) => return Poll::Ready(None),
                Poll::Pending => return Poll::Pending,
            }
        }
    })
}

fn method(name: &str) -> Option<Method> {
    [Method::Get, Method::Head, Method::Put, Method::Post, Method::Patch, Method::Delete]
        .into_iter()
        .find(|one| one.name() == name)
}

/// Where clouds give credentials to whoever asks from a machine of theirs.
fn asks_the_machine(host: &str) -> bool {
    host.starts_with("169.254.") || host == "metadata.google.internal" || host == "[fd00:ec2::254]"
}

/// The library would ask the machine for credentials, since the environment has none.
#[derive(Debug)]
struct NoCredentials;

impl fmt::Display for NoCredentials {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the environment has no credentials for it, and the machine's own are not asked for")
    }
}

impl std::error::Error for NoCredentials {}

/// How it counts for object_store's repetitions. What is repeated and was done already is recognised by whoever created it (`objects.rs`).
fn told(error: Error) -> HttpError {
    let kind = match error {
        Error::Unreachable(_) => HttpErrorKind::Connect,
        Error::TimedOut => HttpErrorKind::Timeout,
        Error::TooLarge(_) => HttpErrorKind::Decode,
        Error::Refused => HttpErrorKind::Unknown,
    };
    HttpError::new(kind, error)
}

/// Buffers as one stream, without copying them together.
struct Chunks(std::collections::VecDeque<Bytes>);

impl Read for Chunks {
    fn read(&mut self, buffer: &mut [u8]) -> std::io::Result<usize> {
        while let Some(first) = self.0.front_mut() {
            if !first.has_remaining() {
                self.0.pop_front();
                continue;
            }
            let length = first.len().min(buffer.len());
            first.copy_to_slice(&mut buffer[..length]);
            return Ok(length);
        }
        Ok(0)
    }
}

/// The body of an answer. The lock is only there for a type that is `Sync`; nobody else holds it.
struct Body(Mutex<Box<dyn Read + Send>>);

impl http_body::Body for Body {
    type Data = Bytes;
    type Error = HttpError;

    fn poll_frame(self: Pin<&mut Self>, _context: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, HttpError>>> {
        let reader = self.get_mut().0.get_mut().unwrap_or_else(PoisonError::into_inner);
        let mut buffer = vec![0; CHUNK];
        Poll::Ready(match reader.read(&mut buffer) {
            Ok(0) => None,
            Ok(length) => {
                buffer.truncate(length);
                Some(Ok(Frame::data(buffer.into())))
            }
            Err(error) if error.kind() == std::io::ErrorKind::TimedOut => {
                Some(Err(HttpError::new(HttpErrorKind::Timeout, error)))
            }
            Err(error) => Some(Err(HttpError::new(HttpErrorKind::Interrupted, error))),
        })
    }
}
