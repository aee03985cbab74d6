//! Checks that each README block that names a file is part of that file in the quick start's app, or in the one with the frameworks.

use std::{fs, path::Path};

const README: &str = include_str!("../README.md");
const APP: &str = "examples/quick-start";
const FRAMEWORKS: &str = "examples/frameworks";
/// The smallest number of blocks to expect: a change of style in the README could hide blocks from this test.
const FEWEST: usize = 8;

#[derive(Debug)]
struct Block<'a> {
    /// The path of the file in the app's folder.
    file: &'a str,
    text: String,
}

/// Returns the blocks that name a file in a comment in their first line. JSON has no comments, so the last link in the
/// paragraph before a block of JSON names the file instead.
fn blocks(markdown: &str) -> Vec<Block<'_>> {
    let mut blocks = Vec::new();
    let mut paragraph = Vec::new();
    let mut lines = markdown.lines();
    while let Some(line) = lines.next() {
        let Some(language) = line.strip_prefix("```") else {
            match line {
                // The empty line between a paragraph and its block.
                "" if paragraph.last() == Some(&"") => paragraph.clear(),
                _ if paragraph.last() == Some(&"") => paragraph = vec![line],
                _ => paragraph.push(line),
            }
            continue;
        };
        let mut content: Vec<_> = lines.by_ref().take_while(|line| *line != "```").collect();
        let file = if language == "json" {
            paragraph.iter().rev().find_map(|line| link(line))
        } else {
            let file = content.first().and_then(|line| comment(line));
            if file.is_some() {
                content.remove(0);
            }
            file
        };
        if let Some(file) = file {
            blocks.push(Block { file, text: content.join("\n") + "\n" });
        }
        paragraph.clear();
    }
    blocks
}

/// Returns the path in a comment such as `// src/main.ts`.
fn comment(line: &str) -> Option<&str> {
    let html = line.strip_prefix("<!-- ").and_then(|text| text.strip_suffix(" -->"));
    let text = html.or_else(|| line.strip_prefix("// ")).or_else(|| line.strip_prefix("# "))?;
    (Path::new(text).extension().is_some() && !text.contains(' ')).then_some(text)
}

/// Returns the path in a link such as `` [`src/file`](examples/quick-start/src/file) ``.
fn link(line: &str) -> Option<&str> {
    let (_, target) = line.rsplit_once("](")?;
    let (path, _) = target.split_once(')')?;
    path.strip_prefix(APP)?.strip_prefix('/')
}

#[test]
fn each_readme_block_that_names_a_file_is_part_of_that_file() {
    let blocks = blocks(README);
    assert!(blocks.len() >= FEWEST, "only {} blocks name a file: {blocks:#?}", blocks.len());
    for Block { file, text } in blocks {
        let of_a_framework = ["/react/", "/vue/", "/svelte/", "/solid/"].iter().any(|folder| file.contains(folder));
        let app = if of_a_framework { FRAMEWORKS } else { APP };
        let path = Path::new(env!("CARGO_MANIFEST_DIR")).join(app).join(file);
        let content = fs::read_to_string(&path).unwrap_or_else(|error| panic!("README.md shows {file}: {error}"));
        let content = content.replace("\r\n", "\n");
        // The leading line feed makes whole lines match.
        assert!(
            format!("\n{content}").contains(&format!("\n{text}")),
            "README.md shows this as a part of {app}/{file}, but the file does not contain it:\n\n{text}"
        );
    }
}

#[test]
fn the_first_line_of_a_block_or_the_link_before_it_names_the_file() {
    let markdown = "\
Add it in [`a.json`](examples/quick-start/a.json):

```json
{}
```

No link here:

```json
{}
```

```ts
// src/main.ts
main();
```

```html
<!-- index.html -->
<main></main>
```

```sh
# not a file
ls
```
";
    let found: Vec<_> = blocks(markdown).into_iter().map(|Block { file, text }| (file, text)).collect();
    let expected = [("a.json", "{}\n"), ("src/main.ts", "main();\n"), ("index.html", "<main></main>\n")];
    assert_eq!(found, expected.map(|(file, text)| (file, text.to_owned())));
}
