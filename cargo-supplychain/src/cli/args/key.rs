//! Arguments of `key`.

use camino::Utf8PathBuf;
use clap::Subcommand;

/// Signing keys
#[derive(Debug, Subcommand)]
pub enum KeyCommand {
    /// Create a key (ECDSA P-256); an existing file is never overwritten
    ///
    /// With SUPPLYCHAIN_KEY_PASSPHRASE set, or --passphrase to be asked, the private key is encrypted at rest.
    Generate {
        /// Where to; your own key's place when left out
        #[arg(long, value_name = "FILE")]
        output: Option<Utf8PathBuf>,
        /// Ask for a passphrase
        #[arg(long)]
        passphrase: bool,
    },
    /// Put a new key in the place of another one, which is kept and signs a statement about the new one
    ///
    /// The new key gets the passphrase of the old one, or with --passphrase another. Publish the new public key together with the statement
    /// (FILE.pub.sigstore.json): who has the old public key verifies the new one by it,
    /// `cargo supplychain verify key.pub --key key-OLD.pub`.
    Rotate {
        /// The private key that is replaced; your own when left out
        #[arg(long, value_name = "FILE")]
        key: Option<Utf8PathBuf>,
        /// Ask for the passphrase of the new key
        #[arg(long)]
        passphrase: bool,
    },
    /// Print the public key (PEM) of a private key
    Public {
        /// The private key; your own when left out
        #[arg(long, value_name = "FILE")]
        key: Option<Utf8PathBuf>,
    },
}
