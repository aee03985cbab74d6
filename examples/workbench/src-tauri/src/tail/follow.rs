//! Follows a file by its name, as `tail -F` does.

use std::{
    fs::File,
    io::{self, Read, Seek, SeekFrom},
    ops::Range,
    path::{Path, PathBuf},
};

use same_file::Handle;

/// Read in one go.
const CHUNK: usize = 256 * 1024;
/// So many bytes before the place where reading stopped must still be the same when it goes on.
const OVERLAP: usize = 256;

/// The bytes of the file under a name, whichever file that is.
///
/// A file that is renamed or removed is read on, until something is in the new file under its name: whoever writes may
/// take a while to go over. A file that was emptied is read from its beginning.
///
/// It looks at one file after the other. What is written to a file that came and went while nobody called
/// [`next`](Self::next) is not seen.
#[derive(Debug)]
pub(super) struct Follow {
    path: PathBuf,
    /// Open all the time, so that no other file can have its inode.
    file: Handle,
    /// How many bytes of the file were read.
    position: u64,
    buffer: Box<[u8]>,
    /// The last bytes that were read, to notice a file that was emptied and has grown again.
    last: Vec<u8>,
    /// The next file, when something is in it.
    next: Option<Handle>,
}

/// What there is.
#[derive(Debug)]
pub(super) enum Found<'a> {
    /// More of the file.
    Bytes(&'a [u8]),
    /// The file is over; what follows is the beginning of another one.
    End,
    /// There is nothing now. `missing`: no file has the name.
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

    /// Begins with the last whole lines that have room in `bytes`, so that there is something to see.
    pub(super) fn from_end(path: &Path, bytes: u64) -> io::Result<Self> {
        let mut follow = Self::from_start(path)?;
        let size = follow.size()?;
        if size > bytes {
            // A line that begins just there is whole: the byte before tells.
            follow.seek(size - bytes - 1)?;
            let mut end = Vec::new();
            follow.file.as_file_mut().take(bytes + 1).read_to_end(&mut end)?;
            // One line that is longer than all of this is begun in its middle.
            let begun = memchr::memchr(b'\n', &end).map_or(1, |end| end + 1);
            follow.seek(size - bytes - 1 + begun as u64)?;
        }
        Ok(follow)
    }

    /// How many bytes of the file are still to be read.
    pub(super) fn left(&self) -> io::Result<u64> {
        Ok(self.size()?.saturating_sub(self.position))
    }

    /// The next of what there is.
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
        // What was written to the old file before something was in the new one has been read.
        if let Some(next) = self.next.take() {
            self.file = next;
            self.seek(0)?;
            return Ok(Found::End);
        }
        self.look()
    }

    /// Looks which file has the name, at the end of the one that had it.
    fn look(&mut self) -> io::Result<Found<'_>> {
        // One that can't be read counts as none: a file that is just being made may get its permissions a moment later.
        let Ok(named) = open(&self.path) else { return Ok(Found::Nothing { missing: true }) };
        if named != self.file && named.as_file().metadata()?.len() > 0 {
            self.next = Some(named);
            return self.next();
        }
        Ok(Found::Nothing { missing: false })
    }

    /// Reads more of the file; answers where in the buffer it is. `None` if the file has been emptied since it was read, even if it
    /// is as long as it was again: then what was read last, and is read once more in the same go, is not the same.
    fn read_on(&mut self) -> io::Result<Option<Range<usize>>> {
        let overlap = self.last.len();
        self.file.as_file_mut().seek(SeekFrom::Start(self.position - overlap as u64))?;
        let read = self.file.as_file_mut().read(&mut self.buffer)?;
        let is_same = self.buffer.get(..read).is_some_and(|bytes| bytes.starts_with(&self.last));
        // Where reading begins, nothing was read before it, and only the size tells.
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
    // Before it is opened: to open a named pipe waits for somebody who writes to it.
    if !std::fs::metadata(path)?.is_file() {
        return Err(io::Error::new(io::ErrorKind::InvalidInput, "it is no file"));
    }
    Handle::from_file(File::open(path)?)
}
