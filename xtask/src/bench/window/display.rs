//! The display on which the workbench opens its window: an Xvfb, which only Linux has.

#[cfg(target_os = "linux")]
pub use ::display::Display;

#[cfg(not(target_os = "linux"))]
pub use elsewhere::Display;

#[cfg(not(target_os = "linux"))]
mod elsewhere {
    use std::path::Path;
    use std::process::Command;

    use anyhow::{Result, bail};

    /// A display that never exists.
    pub enum Display {}

    impl Display {
        /// Always fails.
        pub fn start(_: &Path) -> Result<Self> {
            bail!("there is no Xvfb on this system")
        }

        pub fn show<'a>(&self, _: &'a mut Command) -> &'a mut Command {
            match *self {}
        }
    }
}
