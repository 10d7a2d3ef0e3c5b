//! A service's own metrics, in the Prometheus text format.

use anyhow::{Context, Result};
use rovuma_lab::country::Country;

/// The metrics of one moment.
pub(crate) struct Metrics(String);

impl Metrics {
    /// Reads a service's metrics.
    ///
    /// # Errors
    /// When it does not answer.
    pub(crate) async fn of(country: &Country, service: &str) -> Result<Self> {
        let url = format!("{}/metrics", country.admin_url(service)?);
        let client = reqwest::Client::builder().no_proxy().build()?;
        let text = client.get(&url).send().await.with_context(|| format!("asking {url}"))?.text().await?;
        Ok(Self(text))
    }

    /// The sum of a counter over all labels; 0 when it has never counted.
    pub(crate) fn sum(&self, name: &str) -> f64 {
        let value = |line: &str| {
            let rest = line.strip_prefix(name)?;
            let is_whole_name = rest.starts_with(['{', ' ']);
            is_whole_name.then(|| rest.rsplit(' ').next()?.parse::<f64>().ok()).flatten()
        };
        self.0.lines().filter_map(value).fold(0.0, |sum, value| sum + value)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn labels_are_summed_and_longer_names_are_others() {
        let text =
            "# TYPE a_total counter\na_total{lane=\"urgent\"} 3\na_total{lane=\"bulk\"} 4\na_total_b 9\n";
        let metrics = Metrics(text.to_owned());
        assert_eq!(metrics.sum("a_total").to_string(), "7");
        assert_eq!(metrics.sum("a_total_b").to_string(), "9");
        assert_eq!(metrics.sum("a").to_string(), "0");
    }
}
