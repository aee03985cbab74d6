//! Follows a file by its name, as `tail -F` does.

use std::{
    fs::File,
    io::{self, Read, Seek, SeekFrom},
    ops::Range,
    path::{Path, PathBuf},
};

use same_file::Handle;

/// The most bytes that one read returns.
const CHUNK: usize = 256 * 1024;
/// How many bytes before the current position must be unchanged when reading continues.
const OVERLAP: usize = 256;

/// Reads the file under a name, even if that becomes another file.
///
/// After a file is renamed or removed, reading continues until the new file under its name has content: the writer may take
/// a while to switch over. A file that was emptied is read from its beginning.
///
/// Files are read one after the other. A file that came and went between two calls of [`next`](Self::next) is not seen.
#[derive(Debug)]
pub(super) struct Follow {
    path: PathBuf,
    /// Kept open, so that no other file can get its inode.
    file: Handle,
    /// How many bytes of the file have been read.
    position: u64,
    buffer: Box<[u8]>,
    /// The last bytes that were read: they reveal a file that was emptied and has grown again.
    last: Vec<u8>,
    /// The next file, once it has content.
    next: Option<Handle>,
}

/// What a call of [`Follow::next`] has found.
#[derive(Debug)]
pub(super) enum Found<'a> {
    /// More bytes of the file.
    Bytes(&'a [u8]),
    /// The end of the file; the next bytes are the beginning of another one.
    End,
    /// Nothing new. `missing` says whether no file has the name.
    Nothing { missing: bool },
}

impl Follow {
    /// Begins at the first byte.
    pub(super) fn from_start(path: &Path) -> io::Result<Self> {
        Ok(Self {
            path: path.to_owned(),
            file: open(path)?,
            position: 0,
            buffer: vec![0; CHUNK].into_boxed_slice(),
            last: Vec::new(),
            next: None,
        })
    }

    /// Begins with the last whole lines that fit into `bytes`, so that there is something to see.
    pub(super) fn from_end(path: &Path, bytes: u64) -> io::Result<Self> {
        let mut follow = Self::from_start(path)?;
        let size = follow.size()?;
        if size > bytes {
            // Read one byte more: if it ends a line, the line after it is whole.
            follow.seek(size - bytes - 1)?;
            let mut end = Vec::new();
            follow.file.as_file_mut().take(bytes + 1).read_to_end(&mut end)?;
            // A line that is longer than this begins in its middle.
            let begun = memchr::memchr(b'\n', &end).map_or(1, |end| end + 1);
            follow.seek(size - bytes - 1 + begun as u64)?;
        }
        Ok(follow)
    }

    /// How many bytes of the file are still to be read.
    pub(super) fn left(&self) -> io::Result<u64> {
        Ok(self.size()?.saturating_sub(self.position))
    }

    /// Returns what comes next.
    pub(super) fn next(&mut self) -> io::Result<Found<'_>> {
        let Some(new) = self.read_on()? else {
            self.seek(0)?;
            return Ok(Found::End);
        };
        if !new.is_empty() {
            self.position += new.len() as u64;
            let bytes = self.buffer.get(new).unwrap_or_default();
            self.last.extend_from_slice(bytes.get(bytes.len().saturating_sub(OVERLAP)..).unwrap_or_default());
            self.last.drain(..self.last.len().saturating_sub(OVERLAP));
            return Ok(Found::Bytes(bytes));
        }
        // Everything that was written to the old file before the new one had content has been read.
        if let Some(next) = self.next.take() {
            self.file = next;
            self.seek(0)?;
            return Ok(Found::End);
        }
        self.look()
    }

    /// Checks, at the end of the current file, which file has the name now.
    fn look(&mut self) -> io::Result<Found<'_>> {
        // A file that can't be opened counts as missing: one that was just created may get its permissions a moment later.
        let Ok(named) = open(&self.path) else { return Ok(Found::Nothing { missing: true }) };
        if named != self.file && named.as_file().metadata()?.len() > 0 {
            self.next = Some(named);
            return self.next();
        }
        Ok(Found::Nothing { missing: false })
    }

    /// Reads more of the file, and returns where in the buffer it is. Returns `None` if the file was emptied since the last read, even
    /// if it has grown to its old length again: each read repeats the last bytes of the one before, and they differ then.
    fn read_on(&mut self) -> io::Result<Option<Range<usize>>> {
        let overlap = self.last.len();
        self.file.as_file_mut().seek(SeekFrom::Start(self.position - overlap as u64))?;
        let read = self.file.as_file_mut().read(&mut self.buffer)?;
        let is_same = self.buffer.get(..read).is_some_and(|bytes| bytes.starts_with(&self.last));
        // At the start there are no bytes to compare, so only the size can reveal it.
        let is_shorter = overlap == 0 && read == 0 && self.size()? < self.position;
        Ok((is_same && !is_shorter).then_some(overlap..read))
    }

    fn size(&self) -> io::Result<u64> {
        Ok(self.file.as_file().metadata()?.len())
    }

    fn seek(&mut self, position: u64) -> io::Result<()> {
        self.file.as_file_mut().seek(SeekFrom::Start(position))?;
        self.position = position;
        self.last.clear();
        Ok(())
    }
}

fn open(path: &Path) -> io::Result<Handle> {
    // Check before opening: opening a named pipe would wait for a writer.
    if !std::fs::metadata(path)?.is_file() {
        return Err(io::Error::new(io::ErrorKind::InvalidInput, "it is not a file"));
    }
    Handle::from_file(File::open(path)?)
}
