//! The form's token: this service accepts a form only from a page that it has shown to this browser.
//!
//! The token is in a cookie and in the form (double submit). The cookie's `__Host-` prefix keeps
//! neighbouring hosts from setting it (RFC 6265bis §4.1.3.2); with `SameSite=Lax` the browser does not
//! send it along with another site's post.

use axum::http::{HeaderMap, HeaderValue, header};

use crate::{app::App, fault::Fault};

/// The length of a text that [`rovuma_tokens::unguessable`] draws.
const TOKEN_CHARS: usize = 43;

pub(super) struct FormToken {
    text: String,
    is_new: bool,
}

impl FormToken {
    /// The browser's token, or a new one. The token is kept so that a second page does not invalidate
    /// the form of the first.
    pub(super) fn of(app: &App, headers: &HeaderMap) -> Result<Self, Fault> {
        Ok(match cookie(headers, cookie_name(app)) {
            Some(text) => Self { text: text.to_owned(), is_new: false },
            None => Self { text: rovuma_tokens::unguessable()?, is_new: true },
        })
    }

    /// The token's text, for the form.
    pub(super) fn as_str(&self) -> &str {
        &self.text
    }

    /// Sets the cookie, unless the browser has it.
    pub(super) fn set_cookie(&self, app: &App, headers: &mut HeaderMap) {
        if !self.is_new {
            return;
        }
        let secure = if app.issuer.is_https() { "; Secure" } else { "" };
        let cookie = format!("{}={}; Path=/; HttpOnly; SameSite=Lax{secure}", cookie_name(app), self.text);
        // Base64url and fixed text are always a header value.
        if let Ok(value) = HeaderValue::from_str(&cookie) {
            headers.append(header::SET_COOKIE, value);
        }
    }

    /// Whether the posted token equals the cookie's, and no other site made the browser post it.
    pub(super) fn matches(app: &App, headers: &HeaderMap, unverified_token: Option<&str>) -> bool {
        let cross_site = headers.get("sec-fetch-site").is_some_and(|site| site == "cross-site");
        let token = cookie(headers, cookie_name(app));
        !cross_site && token.is_some() && token == unverified_token
    }
}

/// A browser accepts the prefix only with `Secure`, and `Secure` only over https.
fn cookie_name(app: &App) -> &'static str {
    if app.issuer.is_https() { "__Host-rovuma-form" } else { "rovuma-form" }
}

fn cookie<'a>(headers: &'a HeaderMap, name: &str) -> Option<&'a str> {
    let lists = headers.get_all(header::COOKIE).iter().filter_map(|list| list.to_str().ok());
    let pairs = lists.flat_map(|list| list.split("; ")).filter_map(|pair| pair.split_once('='));
    let mut values = pairs.filter(|(known, _)| *known == name).map(|(_, value)| value);
    // Two cookies of one name: another host has set one of them, so neither is trusted.
    values.next().filter(|value| value.len() == TOKEN_CHARS && values.next().is_none())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn with(cookies: &str) -> HeaderMap {
        let mut headers = HeaderMap::new();
        headers.insert(header::COOKIE, cookies.parse().expect("a value"));
        headers
    }

    #[test]
    fn a_cookie_is_found_among_others_and_only_if_it_is_one() {
        let token = "t".repeat(TOKEN_CHARS);
        assert_eq!(cookie(&with(&format!("a=1; f={token}; b=2")), "f"), Some(token.as_str()));
        assert_eq!(cookie(&with(&format!("f={token}; f={token}")), "f"), None);
        assert_eq!(cookie(&with("f=short"), "f"), None);
        assert_eq!(cookie(&with(&format!("xf={token}")), "f"), None);
        assert_eq!(cookie(&HeaderMap::new(), "f"), None);
    }
}
