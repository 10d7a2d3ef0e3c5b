//! Which page of a list is asked for.

use rovuma_api::{
    cursors::{Cursors, page_limit},
    page::Window,
};
use rovuma_runtime::Problem;
use serde::Deserialize;
use utoipa::IntoParams;

/// Which page.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(super) struct PageQuery {
    /// Rows wanted, 1 to 200; 50 when absent.
    #[param(minimum = 1, maximum = 200)]
    limit: Option<u32>,
    /// `next` of the page before.
    cursor: Option<String>,
}

impl PageQuery {
    /// The window that the caller asks for.
    ///
    /// # Errors
    /// 400 for a limit of 0 or a cursor that does not belong to this list.
    pub(super) fn window(&self, cursors: &Cursors<String>) -> Result<Window<String>, Box<Problem>> {
        let limit = page_limit(self.limit)?;
        let after = self.cursor.as_ref().map(|text| cursors.read(text).ok_or_else(bad_cursor)).transpose()?;
        Ok(Window { limit, after })
    }
}

/// 400 for a cursor that does not belong to the list.
pub(super) fn bad_cursor() -> Box<Problem> {
    Problem::bad_request("cursor").detail("This cursor does not belong to this list.").into()
}
