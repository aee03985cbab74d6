//! The platforms that are checked, with their targets.

use clap::ValueEnum;

/// A platform that the project is not developed on.
#[derive(Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Platform {
    Windows,
    Macos,
    Android,
    Ios,
}

impl Platform {
    pub fn name(self) -> &'static str {
        match self {
            Self::Windows => "Windows",
            Self::Macos => "macOS",
            Self::Android => "Android",
            Self::Ios => "iOS",
        }
    }

    pub fn target(self) -> &'static str {
        match self {
            Self::Windows => "x86_64-pc-windows-gnu",
            Self::Macos => "aarch64-apple-darwin",
            Self::Android => "aarch64-linux-android",
            Self::Ios => "aarch64-apple-ios",
        }
    }
}
