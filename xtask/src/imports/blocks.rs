//! The tree in CONTRIBUTING.md: in each block, an entry may import only the entries below it.

use anyhow::{Context as _, Result, ensure};

use super::sources::{is_rust, is_script};

pub const FILE: &str = "CONTRIBUTING.md";
const HEADING: &str = "## Where things are";

/// How far the head of a block is indented, and its entries. Deeper lines continue the prose of the line above.
const HEAD: usize = 4;
const ENTRY: usize = 6;

pub struct Block {
    pub folder: String,
    pub entries: Vec<Entry>,
}

pub struct Entry {
    /// The name of a file, or of a folder with a slash at its end.
    pub name: String,
    /// The line of CONTRIBUTING.md, from 1.
    pub line: usize,
}

/// Returns the blocks, without the folders that have no entries. Fails if there are no blocks, or if an entry has no name.
pub fn read(text: &str) -> Result<Vec<Block>> {
    let mut blocks: Vec<Block> = vec![];
    let after_heading = text.lines().zip(1..).skip_while(|(line, _)| *line != HEADING).skip(1);
    for (line, number) in after_heading.take_while(|(line, _)| !line.starts_with("## ")) {
        let content = line.trim_start();
        match line.len() - content.len() {
            HEAD => {
                let folder = content.split(' ').next().unwrap_or_default().to_owned();
                blocks.push(Block { folder, entries: vec![] });
            }
            ENTRY => {
                let names = names(content);
                ensure!(
                    !names.is_empty(),
                    "{FILE}:{number} is indented like an entry, but does not begin with a name that ends in `/`, `.rs` or \
                     `.ts`: name the file or folder, or indent the line further if it continues the one above"
                );
                let block = blocks.last_mut();
                let block =
                    block.with_context(|| format!("{FILE}:{number} has no folder above it: add the block's head"))?;
                block.entries.extend(names.into_iter().map(|name| Entry { name: name.to_owned(), line: number }));
            }
            _ => {}
        }
    }
    blocks.retain(|block| !block.entries.is_empty());
    ensure!(!blocks.is_empty(), "{FILE} has no tree under \"{HEADING}\": the order of the imports is read from there");
    Ok(blocks)
}

/// Returns the names at the start of a line. Two spaces or another word end them.
fn names(line: &str) -> Vec<&str> {
    let is_name = |word: &&str| word.ends_with('/') || is_rust(word) || is_script(word);
    line.split(' ').take_while(is_name).collect()
}
