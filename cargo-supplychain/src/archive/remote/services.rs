//! The three services as object_store builds them: from the environment's variables by the names that each service's own tools read.

use std::sync::Arc;
use std::time::Duration;

use object_store::aws::{AmazonS3Builder, AmazonS3ConfigKey, Checksum, S3ConditionalPut};
use object_store::azure::{AzureConfigKey, MicrosoftAzureBuilder};
use object_store::gcp::{GoogleCloudStorageBuilder, GoogleConfigKey};
use object_store::{BackoffConfig, ObjectStore, RetryConfig};

use super::connector::Connector;
use super::objects::Objects;
use super::{Location, Options, Service};
use crate::base::http::is_allowed;
use crate::base::text::one_line;
use crate::http::Client;

/// Variables of a service; what of them would weaken what is relied on here, or start a program, is left out.
fn settings<'o>(options: &'o Options<'_>, prefix: &str) -> impl Iterator<Item = (String, &'o String)> {
    const LEFT_OUT: [&str; 3] = ["aws_conditional_put", "aws_copy_if_not_exists", "azure_use_azure_cli"];
    let of_service = options.env.iter().filter(move |(name, value)| name.starts_with(prefix) && !value.is_empty());
    of_service.map(|(name, value)| (name.to_ascii_lowercase(), value)).filter(|(name, _)| !LEFT_OUT.contains(&name.as_str()))
}

/// The values of the environment that no message may hold.
fn secrets(options: &Options<'_>) -> Vec<String> {
    let is_secret = |name: &str| ["KEY", "TOKEN", "SECRET", "SAS", "PASSWORD", "ACCOUNT"].iter().any(|part| name.contains(part));
    let of_services = options
        .env
        .iter()
        .filter(|(name, _)| ["AWS_", "GOOGLE_", "AZURE_", "SERVICE_ACCOUNT"].iter().any(|start| name.starts_with(start)));
    of_services.filter(|(name, value)| is_secret(name) && value.len() >= 8).map(|(_, value)| value.clone()).collect()
}

/// Few and soon: a person waits.
fn retries() -> RetryConfig {
    let backoff = BackoffConfig { init_backoff: Duration::from_millis(100), max_backoff: Duration::from_secs(5), base: 2.0 };
    RetryConfig { backoff, max_retries: 4, retry_timeout: Duration::from_secs(60) }
}

pub fn open(location: &Location, options: &Options<'_>) -> Result<Objects, String> {
    let client = Arc::new(Client::new(options.env, options.patience));
    let connector = Connector { client, is_s3: location.service == Service::S3 };
    for (name, value) in settings(options, "AWS_").filter(|(name, _)| name.contains("endpoint")) {
        check_endpoint(value, &name.to_ascii_uppercase())?;
    }
    let store: Arc<dyn ObjectStore> = match location.service {
        Service::S3 => s3(location, options, connector)?,
        Service::Google => google(location, options, connector)?,
        Service::Azure => azure(location, options, connector)?,
    };
    Ok(Objects::new(store, location, secrets(options)))
}

fn check_endpoint(url: &str, of: &str) -> Result<(), String> {
    match is_allowed(url) {
        true => Ok(()),
        false => Err(format!("the endpoint of {of} is neither https nor http on this machine")),
    }
}

fn told(error: &object_store::Error) -> String {
    one_line(&error.to_string())
}

fn s3(location: &Location, options: &Options<'_>, connector: Connector) -> Result<Arc<dyn ObjectStore>, String> {
    let mut builder = AmazonS3Builder::new().with_bucket_name(&location.bucket);
    if let Some(endpoint) = options.endpoint {
        check_endpoint(endpoint, "[archive] endpoint")?;
        builder = builder.with_endpoint(endpoint);
    }
    if let Some(region) = options.region {
        builder = builder.with_region(region);
    }
    for (name, value) in settings(options, "AWS_") {
        if let Ok(key) = name.parse::<AmazonS3ConfigKey>() {
            builder = builder.with_config(key, value);
        }
    }
    // Exclusive creation is what an archive stands on; the digest goes along, so that the server refuses what was damaged on the way.
    let builder = builder.with_conditional_put(S3ConditionalPut::ETagMatch).with_checksum_algorithm(Checksum::SHA256);
    let builder = builder.with_disable_bulk_delete(true).with_bucket_name(&location.bucket);
    Ok(Arc::new(builder.with_retry(retries()).with_http_connector(connector).build().map_err(|error| told(&error))?))
}

fn google(location: &Location, options: &Options<'_>, connector: Connector) -> Result<Arc<dyn ObjectStore>, String> {
    refuse_endpoint(options)?;
    let mut builder = GoogleCloudStorageBuilder::new();
    for (name, value) in settings(options, "GOOGLE_").chain(settings(options, "SERVICE_ACCOUNT")) {
        if let Ok(key) = name.parse::<GoogleConfigKey>() {
            builder = builder.with_config(key, value);
        }
    }
    let builder = builder.with_bucket_name(&location.bucket).with_retry(retries()).with_http_connector(connector);
    Ok(Arc::new(builder.build().map_err(|error| told(&error))?))
}

fn azure(location: &Location, options: &Options<'_>, connector: Connector) -> Result<Arc<dyn ObjectStore>, String> {
    refuse_endpoint(options)?;
    let mut builder = MicrosoftAzureBuilder::new();
    for (name, value) in settings(options, "AZURE_") {
        if let Ok(key) = name.parse::<AzureConfigKey>() {
            builder = builder.with_config(key, value);
        }
    }
    let builder = builder.with_container_name(&location.bucket).with_retry(retries()).with_http_connector(connector);
    Ok(Arc::new(builder.build().map_err(|error| told(&error))?))
}

/// A token of these services is all that somebody else would need: a file of the repository does not say where it goes.
fn refuse_endpoint(options: &Options<'_>) -> Result<(), String> {
    match options.endpoint {
        Some(_) => Err("[archive] endpoint is for s3:// only: set the endpoint in the environment".to_owned()),
        None => Ok(()),
    }
}
