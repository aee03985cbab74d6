use std::path::PathBuf;

use adler2::Adler32;
use serde::{Deserialize, Serialize};
use tauri_plugin_tasks::{Failure, TaskContext, Unit};
use tokio::{fs::File, io::AsyncReadExt};

/// After how many bytes the page is told the sum so far.
const STEP: u64 = 1 << 20;

/// What to read.
#[derive(Deserialize)]
#[cfg_attr(test, derive(specta::Type))]
pub struct ChecksumInput {
    path: PathBuf,
}

/// The Adler-32 sum of the first bytes of a file.
#[derive(Serialize)]
#[cfg_attr(test, derive(specta::Type))]
pub struct Checksum {
    mebibytes: u32,
    sum: u32,
}

/// Sums up a file, and emits the sum after each mebibyte.
pub async fn checksum(ctx: TaskContext<(), Checksum>, input: ChecksumInput) -> Result<u32, Failure> {
    let mut file = File::open(input.path).await?;
    ctx.progress().unit(Unit::Bytes).total(file.metadata().await?.len());

    let (mut sum, mut done) = (Adler32::new(), 0);
    let mut buffer = vec![0; 64 * 1024];
    loop {
        let read = file.read(&mut buffer).await?;
        if read == 0 {
            return Ok(sum.checksum());
        }
        sum.write_slice(&buffer[..read]);
        let step = done / STEP;
        done += read as u64;
        if done / STEP > step {
            ctx.emit(Checksum { mebibytes: (done / STEP) as u32, sum: sum.checksum() }).await;
        }
        ctx.progress().inc(read as u64);
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;
    use tauri_plugin_tasks::test::{TestOutcome, TestTask};

    use super::*;

    #[tokio::test(start_paused = true)]
    async fn sums_up_a_file_and_emits_the_sum_so_far() {
        let path = std::env::temp_dir().join(format!("checksum-{}", std::process::id()));
        std::fs::write(&path, "Wikipedia").unwrap();
        let short = TestTask::new(checksum).run(json!({ "path": path })).await.unwrap();
        std::fs::write(&path, vec![0; 5 << 19]).unwrap();
        let long = TestTask::new(checksum).run(json!({ "path": path })).await.unwrap();
        std::fs::remove_file(path).unwrap();

        let TestOutcome::Completed(sum) = short.outcome else { panic!("not summed up") };
        assert_eq!(sum, 0x11e6_0398);
        assert_eq!(long.items.iter().map(|item| item.mebibytes).collect::<Vec<_>>(), [1, 2]);
    }
}
