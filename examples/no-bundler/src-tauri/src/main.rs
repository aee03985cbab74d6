//! Counts words. The point of this example is the page, `../src/main.js`: it uses the plugin's client without a bundler.

#![cfg_attr(not(debug_assertions), windows_subsystem = "windows")]

use std::cmp::Reverse;
use std::collections::HashMap;

use serde::{Deserialize, Serialize};
use tauri_plugin_tasks::{Builder, Never, Task, TaskContext, Unit};

#[derive(Deserialize)]
struct Input {
    text: String,
}

#[derive(Serialize)]
struct Count {
    words: u32,
    different: u32,
    frequent: Vec<Frequent>,
}

#[derive(Serialize)]
struct Frequent {
    word: String,
    times: u32,
}

async fn count_words(ctx: TaskContext, Input { text }: Input) -> Result<Count, Never> {
    ctx.progress().unit(Unit::Bytes).total(text.len() as u64);
    let mut times = HashMap::<String, u32>::new();
    for (number, piece) in text.split_inclusive(char::is_whitespace).enumerate() {
        let word = piece.trim_matches(|c: char| !c.is_alphanumeric()).to_lowercase();
        if !word.is_empty() {
            *times.entry(word).or_default() += 1;
        }
        ctx.progress().inc(piece.len() as u64);
        // Gives other work a turn. A cancelled count ends here.
        if number % 1000 == 0 {
            tokio::task::yield_now().await;
        }
    }
    Ok(Count::new(times))
}

impl Count {
    fn new(times: HashMap<String, u32>) -> Self {
        let (words, different) = times.values().fold((0, 0), |(all, different), times| (all + times, different + 1));
        let mut frequent: Vec<_> = times.into_iter().map(|(word, times)| Frequent { word, times }).collect();
        frequent.sort_by_key(|Frequent { word, times }| (Reverse(*times), word.clone()));
        frequent.truncate(5);
        Self { words, different, frequent }
    }
}

fn main() -> tauri::Result<()> {
    tauri::Builder::default()
        .plugin(Builder::new().task(Task::new("count-words", count_words)).build())
        .run(tauri::generate_context!())
}
