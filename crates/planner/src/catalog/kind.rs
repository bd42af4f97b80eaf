//! Types of parameter values.
//!
//! Owns: which types there are. Never: checks a value (`check` does).

/// What a value must look like.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// `yes` or `no` in any case, nothing else.
    Bool,
    /// A decimal number without a unit.
    Integer(Range),
    /// A decimal number with one of the units s, m, h, d, w (or none).
    Time(Range),
    /// A level of the SMTP server: none, may, encrypt.
    ServerLevel,
    /// A level of the SMTP client.
    ClientLevel,
    /// TLS protocol versions: `>=TLSv1.2`, `!SSLv3`.
    ProtocolList,
    /// high, medium, null (low, export).
    CipherGrade,
    /// An OpenSSL cipher list: `HIGH:!aNULL`.
    CipherList,
    /// Cipher names or types to leave out, separated by commas or blanks.
    Exclusions,
    /// Elliptic curves or groups.
    Groups,
    /// A message digest that the TLS library knows.
    Digest,
    /// Digests, strongest first.
    DigestList,
    /// The absolute name of a file.
    File,
    /// The absolute name of a file, or `none`.
    FileOrNone,
    /// A file of Diffie-Hellman parameters; `auto` leaves the choice to OpenSSL (Postfix 3.7).
    DhFile,
    /// A file of OpenSSL's own configuration, `default`, or `none`.
    LibraryFile,
    /// A file that Postfix makes.
    MadeFile,
    /// Absolute names of files.
    FileList,
    /// The absolute name of a directory.
    Directory,
    /// Lookup tables, `type:name`.
    MapList,
    /// One table for a cache, `type:name`.
    CacheDatabase,
    /// A source of random bytes: `dev:/dev/urandom`, `egd:…`, or a file.
    RandomSource,
    /// Exactly one of these words, in any case.
    Word(&'static [&'static str]),
    /// Any of these words, separated by commas or blanks.
    WordList(&'static [&'static str]),
    /// Some of these options of the TLS library in any case, and masks of their bits (`0x4000`); an
    /// unknown one is warned of and passed over.
    SslOptions(&'static [&'static str]),
    /// Names to match in a certificate, separated by commas, colons or blanks.
    MatchList,
    /// Fingerprints, separated by `|` or blanks.
    Fingerprints,
    /// Empty, `hostname`, `nexthop` or a host name.
    ServerName,
    /// Free text: names of services, sockets, parameters.
    Text,
}

/// The numbers that Postfix accepts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Range {
    /// The smallest.
    pub least: i32,
    /// The largest.
    pub most: i32,
}

impl Kind {
    /// True where a value names a file, table, program or service of the host.
    pub fn names_something_local(self) -> bool {
        matches!(
            self,
            Self::File
                | Self::FileOrNone
                | Self::DhFile
                | Self::LibraryFile
                | Self::MadeFile
                | Self::FileList
                | Self::Directory
                | Self::MapList
                | Self::CacheDatabase
                | Self::RandomSource
                | Self::Text
        )
    }
}

/// At least `least`.
pub(super) const fn at_least(least: i32) -> Range {
    Range {
        least,
        most: i32::MAX,
    }
}
