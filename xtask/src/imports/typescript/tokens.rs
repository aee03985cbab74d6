//! Splits TypeScript into tokens, as far as imports and exports need it.

#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Token {
    Word(String),
    /// The content of a string, or of a template without code.
    Text(String),
    Sign(char),
    /// A number, a regular expression, or the text of a template.
    Value,
}

pub fn tokens(text: &str) -> Vec<Token> {
    let mut reader = Reader { rest: text.trim_start_matches('\u{feff}'), tokens: vec![] };
    while !reader.rest.is_empty() {
        reader.until_brace();
        // Skip a brace that closes nothing.
        reader.skip(1);
    }
    reader.tokens
}

struct Reader<'a> {
    rest: &'a str,
    tokens: Vec<Token>,
}

impl Reader<'_> {
    fn skip(&mut self, bytes: usize) {
        self.rest = self.rest.get(bytes..).unwrap_or_default();
    }

    /// Reads up to the `}` that closes the current block, without it, or to the end.
    fn until_brace(&mut self) {
        let mut depth = 0_usize;
        while let Some(next) = self.rest.chars().next() {
            match next {
                '{' => depth += 1,
                '}' if depth == 0 => return,
                '}' => depth -= 1,
                _ => {}
            }
            self.token(next);
        }
    }

    fn token(&mut self, next: char) {
        if self.rest.starts_with("//") {
            self.skip(self.rest.find('\n').unwrap_or(self.rest.len()));
        } else if self.rest.starts_with("/*") {
            self.skip(self.rest.find("*/").map_or(self.rest.len(), |end| end + 2));
        } else if next.is_whitespace() {
            self.skip(next.len_utf8());
        } else if is_word(next) {
            let word = self.rest.split(|sign| !is_word(sign)).next().unwrap_or_default().to_owned();
            self.skip(word.len());
            self.tokens.push(if next.is_ascii_digit() { Token::Value } else { Token::Word(word) });
        } else if next == '"' || next == '\'' {
            let text = self.quoted(next);
            self.tokens.push(Token::Text(text));
        } else if next == '`' {
            self.template();
        } else if next == '/' && self.may_be_regular_expression() {
            self.regular_expression();
        } else {
            self.skip(next.len_utf8());
            self.tokens.push(Token::Sign(next));
        }
    }

    /// Reads a string, which ends with its line at the latest.
    fn quoted(&mut self, quote: char) -> String {
        let mut text = String::new();
        self.skip(1);
        while let Some(next) = self.rest.chars().next().filter(|next| *next != '\n') {
            self.skip(next.len_utf8());
            match next {
                '\\' => text.extend(self.take()),
                next if next == quote => break,
                next => text.push(next),
            }
        }
        text
    }

    fn take(&mut self) -> Option<char> {
        let next = self.rest.chars().next()?;
        self.skip(next.len_utf8());
        Some(next)
    }

    /// Reads a template. One without code is a string. The code inside others is read like any other.
    fn template(&mut self) {
        self.skip(1);
        if let Some(text) = self.plain_template() {
            self.skip(text.len() + 1);
            self.tokens.push(Token::Text(text));
            return;
        }
        self.tokens.push(Token::Value);
        while let Some(next) = self.take() {
            match next {
                '`' => break,
                '\\' => drop(self.take()),
                '$' if self.rest.starts_with('{') => {
                    self.skip(1);
                    // Signs on both sides separate the code from the template's text.
                    self.tokens.push(Token::Sign('('));
                    self.until_brace();
                    self.tokens.push(Token::Sign(')'));
                    self.skip(1);
                }
                _ => {}
            }
        }
        self.tokens.push(Token::Value);
    }

    /// Returns the text up to the end of a template, unless it contains code or an escape.
    fn plain_template(&self) -> Option<String> {
        let text = self.rest.split('`').next()?;
        (!text.contains("${") && !text.contains('\\')).then(|| text.to_owned())
    }

    /// Returns whether a slash may begin a regular expression here. After a value, it is a division.
    fn may_be_regular_expression(&self) -> bool {
        match self.tokens.last() {
            None => true,
            Some(Token::Sign(sign)) => !matches!(sign, ')' | ']' | '}'),
            Some(Token::Word(word)) => {
                matches!(
                    word.as_str(),
                    "return" | "typeof" | "case" | "in" | "of" | "void" | "throw" | "else" | "await"
                )
            }
            Some(Token::Text(_) | Token::Value) => false,
        }
    }

    fn regular_expression(&mut self) {
        self.skip(1);
        let mut is_in_class = false;
        while let Some(next) = self.take() {
            match next {
                '\\' => drop(self.take()),
                '[' => is_in_class = true,
                ']' => is_in_class = false,
                '/' if !is_in_class => break,
                '\n' => break,
                _ => {}
            }
        }
        self.tokens.push(Token::Value);
    }
}

fn is_word(sign: char) -> bool {
    sign.is_alphanumeric() || matches!(sign, '_' | '$' | '#')
}
