//! Serves the page from a loopback address instead of Tauri's own protocol, to give it a fine clock. WebKit's clock has steps
//! of 20 µs in a page that is cross-origin isolated, and of 1 ms in any other; only a page from a server can be isolated.
//! Messages between the app and the page are sent as usual.

use std::{
    collections::HashMap,
    io::{self, BufRead as _, BufReader, Write as _},
    net::{TcpListener, TcpStream},
    thread,
};

use tauri::{Context, Url, utils::config::FrontendDist};

type Files = HashMap<String, Vec<u8>>;

/// Serves the app's own files, and makes its windows load them from there. Tauri treats such pages as local.
pub(super) fn serve(context: &mut Context) -> tauri::Result<()> {
    let assets = context.assets();
    let paths: Vec<String> = assets.iter().map(|(path, _)| path.into_owned()).collect();
    let file = |path: String| Some((path.clone(), assets.get(&path.into())?.into_owned()));
    let files: Files = paths.into_iter().filter_map(file).collect();
    let listener = TcpListener::bind("127.0.0.1:0")?;
    let address = format!("http://{}/", listener.local_addr()?);
    let url = Url::parse(&address).map_err(io::Error::other)?;
    context.config_mut().build.frontend_dist = Some(FrontendDist::Url(url));
    thread::spawn(move || {
        for stream in listener.incoming().flatten() {
            if let Err(error) = answer(stream, &files) {
                eprintln!("The page's server: {error}");
            }
        }
    });
    Ok(())
}

fn answer(mut stream: TcpStream, files: &Files) -> io::Result<()> {
    let mut lines = BufReader::new(&stream).lines();
    let request = lines.next().transpose()?.unwrap_or_default();
    // Reads the request to its end: closing the connection before would reset it.
    for line in lines {
        if line?.is_empty() {
            break;
        }
    }
    let path = request.split(' ').nth(1).unwrap_or_default();
    let Some(content) = files.get(path) else {
        return stream.write_all(b"HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\nConnection: close\r\n\r\n");
    };
    let kind = match path.rsplit_once('.') {
        Some((_, "html")) => "text/html",
        Some((_, "js")) => "text/javascript",
        Some((_, "css")) => "text/css",
        Some((_, "svg")) => "image/svg+xml",
        _ => "application/octet-stream",
    };
    write!(
        stream,
        "HTTP/1.1 200 OK\r\nContent-Type: {kind}\r\nContent-Length: {}\r\nConnection: close\r\n\
         Cross-Origin-Opener-Policy: same-origin\r\nCross-Origin-Embedder-Policy: require-corp\r\n\r\n",
        content.len()
    )?;
    stream.write_all(content)
}
