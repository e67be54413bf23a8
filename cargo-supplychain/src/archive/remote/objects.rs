//! [`Store`] over what object_store offers. Exclusive creation is a conditional write; what is too large for one goes up in parts and is
//! completed only where its bytes are those that its name says. Operations block: each has an executor of its own.

use std::future::Future;
use std::io::{self, Read};
use std::sync::Arc;

use bytes::{Buf, Bytes};
use futures_util::StreamExt;
use futures_util::stream::BoxStream;
use object_store::path::Path;
use object_store::{
    Attribute, Attributes, GetOptions, MultipartUpload, ObjectStore, ObjectStoreExt, PutMode, PutOptions, PutPayload,
};
use sha2::Digest as _;
use tokio::runtime::Runtime;

use super::Location;
use crate::archive::store::{Creation, Error, Listed, Store};
use crate::base::text::one_line;

/// What is written by one request, all or nothing. Above it: in parts of this size.
const PART: u64 = 16 << 20;
/// The most parts that S3 takes.
const MAX_PARTS: usize = 10_000;
/// Below it, asking whether something exists costs as much as trying to create it.
const WORTH_ASKING: usize = 64 << 10;
/// How often a creation whose outcome is not known is tried again.
const MAX_TRIES: usize = 3;
const MAX_LISTED: usize = 10_000_000;
/// How services say that the bucket is not there.
const NO_BUCKET: [&str; 3] = ["NoSuchBucket", "ContainerNotFound", "bucket does not exist"];
/// Of what a server says.
const MAX_SAID: usize = 400;
/// Whose object it is: what tells our own write, answered too late, from somebody else's. Azure takes letters and digits only.
const WRITER: Attribute = Attribute::Metadata(std::borrow::Cow::Borrowed("supplychainwriter"));

/// A store of objects.
#[derive(Clone)]
pub struct Objects {
    inner: Arc<dyn ObjectStore>,
    /// `s3://bucket/prefix`.
    place: String,
    prefix: String,
    /// What no message may hold.
    secrets: Vec<String>,
    part: u64,
}

impl Objects {
    pub fn new(inner: Arc<dyn ObjectStore>, location: &Location, secrets: Vec<String>) -> Self {
        Self { inner, place: location.to_string(), prefix: location.prefix.clone(), secrets, part: PART }
    }

    #[cfg(test)]
    pub fn in_memory() -> Self {
        let location = Location::parse("s3://memory/archive").unwrap();
        Self::new(Arc::new(object_store::memory::InMemory::new()), &location, Vec::new())
    }

    fn full(&self, path: &str) -> Path {
        match self.prefix.is_empty() {
            true => Path::from(path),
            false => Path::from(format!("{}/{path}", self.prefix)),
        }
    }

    fn shown(&self, path: &str) -> String {
        format!("{}/{path}", self.place)
    }

    fn told(&self, action: &'static str, path: &str, error: &object_store::Error) -> Error {
        let path = self.shown(path);
        let said = said(error, &self.secrets);
        let kind = match error {
            // A bucket that is not there is no object that is not there: an archive would seem to be empty. Nor is what could not be written.
            object_store::Error::NotFound { .. } if action == "write" || NO_BUCKET.iter().any(|code| said.contains(code)) => {
                io::ErrorKind::NotFound
            }
            object_store::Error::NotFound { .. } => return Error::NotFound { path },
            object_store::Error::PermissionDenied { .. } | object_store::Error::Unauthenticated { .. } => {
                io::ErrorKind::PermissionDenied
            }
            _ => io::ErrorKind::Other,
        };
        Error::Io { action, path, source: io::Error::new(kind, said) }
    }

    fn failed(&self, action: &'static str, path: &str, why: impl Into<String>) -> Error {
        Error::Io { action, path: self.shown(path), source: io::Error::other(why.into()) }
    }

    /// Waits for an operation, on this thread.
    fn wait<T>(
        &self,
        action: &'static str,
        path: &str,
        operation: impl Future<Output = object_store::Result<T>>,
    ) -> Result<T, Error> {
        let runtime = runtime().map_err(|source| Error::Io { action, path: self.shown(path), source })?;
        runtime.block_on(operation).map_err(|error| self.told(action, path, &error))
    }

    fn exists(&self, path: &str) -> Result<bool, Error> {
        match self.wait("read", path, self.inner.head(&self.full(path))) {
            Ok(_) => Ok(true),
            Err(Error::NotFound { .. }) => Ok(false),
            Err(error) => Err(error),
        }
    }

    /// Whether what stands there was written by this writer; `None` where nothing stands.
    fn is_by(&self, path: &str, writer: &str) -> Result<Option<bool>, Error> {
        let options = GetOptions { head: true, ..GetOptions::default() };
        match self.wait("read", path, self.inner.get_opts(&self.full(path), options)) {
            Ok(found) => Ok(Some(found.attributes.get(&WRITER).is_some_and(|value| &**value == writer))),
            Err(Error::NotFound { .. }) => Ok(None),
            Err(error) => Err(error),
        }
    }

    fn create_whole(&self, path: &str, content: &Bytes) -> Result<Creation, Error> {
        if content.len() > WORTH_ASKING && self.exists(path)? {
            return Ok(Creation::Exists);
        }
        let writer = nonce().map_err(|why| self.failed("write", path, why))?;
        let mut last = None;
        for _ in 0..MAX_TRIES {
            let attributes = Attributes::from_iter([(WRITER, writer.clone())]);
            let options = PutOptions { mode: PutMode::Create, attributes, ..PutOptions::default() };
            let full = self.full(path);
            let tried = self.inner.put_opts(&full, PutPayload::from_bytes(content.clone()), options);
            let runtime = runtime().map_err(|source| Error::Io { action: "write", path: self.shown(path), source })?;
            let error = match runtime.block_on(tried) {
                Ok(_) => return Ok(Creation::Created),
                Err(error) => self.told("write", path, &error),
            };
            if matches!(&error, Error::Io { source, .. } if source.kind() == io::ErrorKind::PermissionDenied) {
                return Err(error);
            }
            // It is there: by somebody else, or by our own request whose answer did not arrive and which was repeated. It is not: two wrote
            // at once and the server let neither, or the request was lost.
            match self.is_by(path, &writer) {
                Ok(Some(true)) => return Ok(Creation::Created),
                Ok(Some(false)) => return Ok(Creation::Exists),
                Ok(None) => last = Some(error),
                Err(_) => return Err(error),
            }
        }
        Err(last.unwrap_or_else(|| self.failed("write", path, "not tried")))
    }

    /// Completed only where the bytes are those of its name, so that whoever else completes the same name at the same time writes the same.
    fn create_in_parts(&self, path: &str, first: Vec<u8>, content: &mut dyn Read) -> Result<Creation, Error> {
        // What may follow after a dot says which generation it is of.
        let name = path.rsplit('/').next().and_then(|name| name.split('.').next()).unwrap_or_default();
        if name.len() != 64 || !name.bytes().all(|byte| byte.is_ascii_hexdigit()) {
            return Err(self.failed(
                "write",
                path,
                format!("only what is named by its digest may have more than {} bytes", self.part),
            ));
        }
        if self.exists(path)? {
            return Ok(Creation::Exists);
        }
        let mut upload = self.wait("write", path, self.inner.put_multipart(&self.full(path)))?;
        let outcome = self.fill(path, name, &mut *upload, first, content);
        if !matches!(outcome, Ok(Creation::Created)) {
            // What cannot be taken back now goes with the bucket's rule for parts that were never completed.
            let _ = self.wait("write", path, upload.abort());
        }
        outcome
    }

    fn fill(
        &self,
        path: &str,
        name: &str,
        upload: &mut dyn MultipartUpload,
        first: Vec<u8>,
        content: &mut dyn Read,
    ) -> Result<Creation, Error> {
        let (mut digest, mut part, mut parts) = (sha2::Sha256::new(), first, 0);
        while !part.is_empty() {
            if parts == MAX_PARTS {
                return Err(self.failed("write", path, format!("it has more than {MAX_PARTS} parts of {} bytes", self.part)));
            }
            digest.update(&part);
            self.wait("write", path, upload.put_part(PutPayload::from(part)))?;
            parts += 1;
            part =
                next_part(content, self.part).map_err(|source| Error::Io { action: "write", path: self.shown(path), source })?;
        }
        if digest.finalize().iter().map(|byte| format!("{byte:02x}")).collect::<String>() != name {
            return Err(self.failed("write", path, "the bytes are not those of its digest"));
        }
        if self.exists(path)? {
            return Ok(Creation::Exists);
        }
        match self.wait("write", path, upload.complete()) {
            Ok(_) => Ok(Creation::Created),
            // Somebody else completed it first, or we did and the answer was lost.
            Err(_) if self.exists(path)? => Ok(Creation::Exists),
            Err(error) => Err(error),
        }
    }
}

impl Store for Objects {
    fn place(&self) -> String {
        self.place.clone()
    }

    fn read(&self, path: &str, limit: u64) -> Result<Vec<u8>, Error> {
        let found = self.wait("read", path, self.inner.get(&self.full(path)))?;
        if found.meta.size > limit {
            return Err(Error::TooLarge { path: self.shown(path), limit });
        }
        let size = found.meta.size;
        let mut bytes = Vec::new();
        let mut reading = Reading::new(found.into_stream(), self.secrets.clone());
        let mut bounded = reading.by_ref().take(limit.saturating_add(1));
        bounded.read_to_end(&mut bytes).map_err(|source| Error::Io { action: "read", path: self.shown(path), source })?;
        match bytes.len() as u64 {
            length if length > limit => Err(Error::TooLarge { path: self.shown(path), limit }),
            length if length != size => Err(self.failed("read", path, format!("{length} of {size} bytes came"))),
            _ => Ok(bytes),
        }
    }

    fn open(&self, path: &str) -> Result<Box<dyn Read + Send>, Error> {
        let found = self.wait("read", path, self.inner.get(&self.full(path)))?;
        Ok(Box::new(Reading::new(found.into_stream(), self.secrets.clone())))
    }

    fn create(&self, path: &str, content: &mut dyn Read) -> Result<Creation, Error> {
        let first =
            next_part(content, self.part).map_err(|source| Error::Io { action: "write", path: self.shown(path), source })?;
        let mut more = [0];
        let is_whole = (first.len() as u64) < self.part
            || content.read(&mut more).map_err(|source| Error::Io { action: "write", path: self.shown(path), source })? == 0;
        match is_whole {
            true => self.create_whole(path, &first.into()),
            false => self.create_in_parts(path, first, &mut Read::chain(&more[..], content)),
        }
    }

    fn list(&self, prefix: &str) -> Result<Vec<Listed>, Error> {
        let full = self.full(prefix.trim_end_matches('/'));
        let mut objects = self.inner.list((!full.as_ref().is_empty()).then_some(&full));
        let own = if self.prefix.is_empty() { String::new() } else { format!("{}/", self.prefix) };
        let collected = async {
            let mut found = Vec::new();
            while let Some(object) = objects.next().await {
                let object = object?;
                let Some(path) = object.location.as_ref().strip_prefix(&own).filter(|path| path.starts_with(prefix)) else {
                    continue;
                };
                found.push(Listed { path: path.to_owned(), size: object.size });
                if found.len() > MAX_LISTED {
                    break;
                }
            }
            Ok(found)
        };
        let mut found = self.wait("read", prefix, collected)?;
        if found.len() > MAX_LISTED {
            return Err(self.failed("read", prefix, format!("there are more than {MAX_LISTED} objects")));
        }
        found.sort();
        Ok(found)
    }

    fn remove(&self, path: &str) -> Result<(), Error> {
        match self.wait("remove", path, self.inner.delete(&self.full(path))) {
            Ok(()) | Err(Error::NotFound { .. }) => Ok(()),
            Err(error) => Err(error),
        }
    }
}

/// At most a part of what is still to be read.
fn next_part(content: &mut dyn Read, size: u64) -> io::Result<Vec<u8>> {
    let mut part = Vec::new();
    content.take(size).read_to_end(&mut part)?;
    Ok(part)
}

/// Timers, for the pauses between tries; no sockets.
fn runtime() -> io::Result<Runtime> {
    tokio::runtime::Builder::new_current_thread().enable_time().build()
}

fn nonce() -> Result<String, String> {
    let mut bytes = [0; 16];
    aws_lc_rs::rand::fill(&mut bytes).map_err(|_| "the system gives no random numbers".to_owned())?;
    Ok(bytes.iter().map(|byte| format!("{byte:02x}")).collect())
}

/// What went wrong, in words of the innermost error, which is the server's answer or ours; on one line, short, and without what is secret.
fn said(error: &object_store::Error, secrets: &[String]) -> String {
    let mut innermost: &dyn std::error::Error = error;
    while let Some(source) = innermost.source() {
        innermost = source;
    }
    let text = innermost.to_string();
    let text = match between(&text, "<Code>", "</Code>").zip(between(&text, "<Message>", "</Message>")) {
        Some((code, message)) => format!("the server says {code}: {message}"),
        None => text,
    };
    without(&one_line(&text), secrets).chars().take(MAX_SAID).collect()
}

fn without(text: &str, secrets: &[String]) -> String {
    secrets.iter().fold(text.to_owned(), |text, secret| text.replace(secret.as_str(), "…"))
}

fn between<'t>(text: &'t str, start: &str, end: &str) -> Option<&'t str> {
    let from = text.find(start)? + start.len();
    let to = from + text[from..].find(end)?;
    Some(&text[from..to])
}

/// A stream of an object's bytes, with the executor that it runs on.
struct Reading {
    /// `None`: the system gave none, as the first read says.
    runtime: Result<Runtime, Option<io::Error>>,
    stream: BoxStream<'static, object_store::Result<Bytes>>,
    current: Bytes,
    secrets: Vec<String>,
}

impl Reading {
    fn new(stream: BoxStream<'static, object_store::Result<Bytes>>, secrets: Vec<String>) -> Self {
        Self { runtime: runtime().map_err(Some), stream, current: Bytes::new(), secrets }
    }
}

impl Read for Reading {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let runtime = match &mut self.runtime {
            Ok(runtime) => runtime,
            Err(error) => return Err(error.take().unwrap_or_else(|| io::Error::other("the executor could not be started"))),
        };
        while !self.current.has_remaining() {
            match runtime.block_on(self.stream.next()) {
                None => return Ok(0),
                Some(Ok(bytes)) => self.current = bytes,
                Some(Err(error)) => return Err(io::Error::other(said(&error, &self.secrets))),
            }
        }
        let length = self.current.len().min(buffer.len());
        self.current.copy_to_slice(&mut buffer[..length]);
        Ok(length)
    }
}

#[cfg(test)]
mod tests;
