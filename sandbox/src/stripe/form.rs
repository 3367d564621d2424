//! Form-encoded parameters with nested keys, and what Stripe says of those it does not know.

use super::reply::Refused;
use super::world::Metadata;

/// Most parameters of one call.
const MAX_PARAMETERS: usize = 1_000;

/// The parameters of a call, by path: `items[0][price]` is at `items.0.price`.
#[derive(Debug, Default)]
pub(crate) struct Form {
    entries: Vec<(String, String, String)>,
}

impl Form {
    pub(crate) fn parse(text: &[u8]) -> Self {
        let mut entries: Vec<(String, String, String)> = Vec::new();
        for (key, value) in url::form_urlencoded::parse(text).take(MAX_PARAMETERS) {
            let mut path = key.replace("][", ".").replace('[', ".").replace(']', "");
            if key.ends_with("[]") {
                let begin = path.clone();
                let count = entries.iter().filter(|(p, _, _)| p.strip_prefix(&begin).is_some_and(|r| !r.contains('.'))).count();
                path.push_str(&count.to_string());
            }
            entries.push((path, key.into_owned(), value.into_owned()));
        }
        Self { entries }
    }

    pub(crate) fn pairs(&self) -> Vec<(String, String)> {
        self.entries.iter().map(|(_, key, value)| (key.clone(), value.clone())).collect()
    }

    /// The value, also when it is empty.
    pub(crate) fn raw(&self, path: &str) -> Option<&str> {
        self.entries.iter().find(|(p, _, _)| p == path).map(|(_, _, value)| value.as_str())
    }

    /// The value, if it is not empty.
    pub(crate) fn get(&self, path: &str) -> Option<&str> {
        self.raw(path).filter(|v| !v.is_empty())
    }

    pub(crate) fn text(&self, path: &str) -> Option<String> {
        self.get(path).map(str::to_owned)
    }

    pub(crate) fn required(&self, path: &str) -> Result<&str, Refused> {
        self.get(path).ok_or_else(|| Refused::missing_parameter(&bracketed(path)))
    }

    pub(crate) fn integer(&self, path: &str) -> Result<Option<i64>, Refused> {
        let Some(text) = self.get(path) else { return Ok(None) };
        let number = text.parse().map_err(|_| {
            let why = format!("Invalid integer: {text}");
            Refused::invalid(why).code("parameter_invalid_integer").param(&bracketed(path))
        })?;
        Ok(Some(number))
    }

    pub(crate) fn boolean(&self, path: &str) -> Result<Option<bool>, Refused> {
        match self.get(path) {
            None => Ok(None),
            Some("true") => Ok(Some(true)),
            Some("false") => Ok(Some(false)),
            Some(other) => Err(Refused::invalid(format!("Invalid boolean: {other}")).param(&bracketed(path))),
        }
    }

    /// The indices there are under `path`, in order.
    pub(crate) fn indices(&self, path: &str) -> Vec<usize> {
        let begin = format!("{path}.");
        let parts = self.entries.iter().filter_map(|(p, _, _)| p.strip_prefix(&begin)?.split('.').next()?.parse().ok());
        let mut found: Vec<usize> = parts.collect();
        found.sort_unstable();
        found.dedup();
        found
    }

    pub(crate) fn has(&self, path: &str) -> bool {
        self.entries.iter().any(|(p, _, _)| p == path || p.strip_prefix(path).is_some_and(|rest| rest.starts_with('.')))
    }

    /// The pairs under `path`, empty values left out.
    pub(crate) fn metadata(&self, path: &str) -> Metadata {
        let begin = format!("{path}.");
        let pairs = self.entries.iter().filter(|(_, _, value)| !value.is_empty());
        pairs.filter_map(|(p, _, value)| Some((p.strip_prefix(&begin)?.to_owned(), value.clone().into()))).collect()
    }

    /// Changes what is there as the pairs under `path` say: an empty value takes a key away.
    pub(crate) fn merge_metadata(&self, path: &str, into: &mut Metadata) {
        let begin = format!("{path}.");
        if self.raw(path) == Some("") {
            into.clear();
        }
        for (key, value) in self.entries.iter().filter_map(|(p, _, value)| Some((p.strip_prefix(&begin)?, value))) {
            if value.is_empty() {
                into.remove(key);
            } else {
                into.insert(key.to_owned(), value.clone().into());
            }
        }
    }

    /// Refuses what is not among the known paths, in which `*` stands for any one part.
    pub(crate) fn only(&self, known: &[&str]) -> Result<(), Refused> {
        for (path, key, _) in &self.entries {
            let fits = |pattern: &&str| {
                let (mut parts, mut wanted) = (path.split('.'), pattern.split('.'));
                loop {
                    match (parts.next(), wanted.next()) {
                        (None, None) => return true,
                        (Some(part), Some(want)) if want == "*" || want == part => {}
                        _ => return false,
                    }
                }
            };
            if !path.starts_with("expand.") && !known.iter().any(fits) {
                return Err(Refused::unknown_parameter(key));
            }
        }
        Ok(())
    }

    pub(crate) fn expansions(&self) -> Vec<&str> {
        self.entries.iter().filter(|(path, _, _)| path.starts_with("expand.")).map(|(_, _, value)| value.as_str()).collect()
    }
}

/// `items.0.price` as it is written: `items[0][price]`.
pub(crate) fn bracketed(path: &str) -> String {
    let mut parts = path.split('.');
    let first = parts.next().unwrap_or_default().to_owned();
    parts.fold(first, |whole, part| format!("{whole}[{part}]"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nested_keys_and_open_lists_are_decoded() {
        let form = Form::parse(b"line_items[0][price]=p&metadata[shop_id]=a%20b&expand[]=x&expand[]=y.z");
        assert_eq!(form.get("line_items.0.price"), Some("p"));
        assert_eq!(form.metadata("metadata")["shop_id"], "a b");
        assert_eq!(form.expansions(), ["x", "y.z"]);
        assert!(form.only(&["line_items.*.price", "metadata.*"]).is_ok());
        assert!(form.only(&["line_items.*.price"]).is_err());
    }
}
