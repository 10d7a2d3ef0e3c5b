//! The phrases that say what a field wants, as details of faults' sentences and as advice.

use crate::sentences;

sentences! {
    /// Phrases in one language.
    pub(crate) struct Hints in sentences::HINTS;
    type_object,
    type_array,
    type_string,
    type_number,
    type_integer,
    type_boolean,
    type_null,
    bom,
    utf16,
    latin1(place),
    form_in_schema,
    form_guess(form, guess),
    form_length(form, count),
    code_near(code, title, list, near),
    code_far(code, title, list),
    value_near(value, near, all),
    agency_near(agency, near, all),
    agency_far(agency, all),
    end_stated(day),
    end_by_category(day, life),
    end_by_documents(day),
    life_year,
    life_years(count),
    life_days(count),
    put_right(given, now),
    name_without_form(name),
    name_by_table(name, normal),
    plate_letters(plate, guess),
}
