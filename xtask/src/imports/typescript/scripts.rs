//! Finds the code in a file: all of it, or the script blocks of a component.

use std::borrow::Cow;

use crate::imports::sources::has_extension;

pub fn code<'a>(path: &str, text: &'a str) -> Cow<'a, str> {
    if !has_extension(path, &["vue", "svelte"]) {
        return text.into();
    }
    let blocks = text.split("<script").skip(1).filter_map(|rest| {
        let (_, rest) = rest.split_once('>')?;
        rest.split_once("</script").map(|(code, _)| code)
    });
    blocks.collect::<Vec<_>>().join("\n").into()
}
