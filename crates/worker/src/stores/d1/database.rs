//! A D1 database, and its values as JavaScript has them.

use mcpfn_ports::{SqlError, SqlValue};
use worker::js_sys::{Array, ArrayBuffer, Object, Promise, Reflect, Uint8Array};
use worker::wasm_bindgen::prelude::wasm_bindgen;
use worker::wasm_bindgen::{self, JsCast, JsValue};
use worker::wasm_bindgen_futures::JsFuture;
use worker::{D1Database, D1PreparedStatement};

use crate::error::message;

/// The largest whole number that a JavaScript number holds exactly.
pub(super) const EXACT: f64 = 9_007_199_254_740_991.0;

/// A D1 database. Its values are JavaScript's: a whole number of up to 53 bits is an integer here,
/// a larger one a double, and a double that happens to be whole an integer.
#[derive(Debug)]
pub struct D1(D1Database);

impl D1 {
    pub(crate) fn new(database: D1Database) -> Self {
        Self(database)
    }

    pub(super) fn prepare(
        &self,
        sql: &str,
        parameters: &[SqlValue],
    ) -> Result<D1PreparedStatement, SqlError> {
        let parameters = parameters
            .iter()
            .map(parameter)
            .collect::<Result<Vec<_>, _>>()?;
        self.0
            .prepare(sql)
            .bind(&parameters)
            .map_err(|error| SqlError::Rejected(error.to_string()))
    }

    /// The names of the columns, and the rows, each an array.
    pub(super) async fn ask(
        &self,
        sql: &str,
        parameters: &[SqlValue],
    ) -> Result<(Vec<String>, Array), SqlError> {
        let statement = self.prepare(sql, parameters)?;
        // the names come as a first row of their own: objects would lose columns of the same name
        let with_names = Object::new();
        Reflect::set(&with_names, &"columnNames".into(), &JsValue::TRUE)
            .map_err(|error| failed(&error))?;
        let found = statement
            .inner()
            .unchecked_ref::<Statement>()
            .raw(&with_names)
            .map_err(|error| failed(&error))?;
        let found: Array = JsFuture::from(found)
            .await
            .map_err(|error| failed(&error))?
            .unchecked_into();
        let names = Array::from(&found.shift());
        Ok((
            names.iter().filter_map(|name| name.as_string()).collect(),
            found,
        ))
    }
}

#[wasm_bindgen]
extern "C" {
    /// A prepared statement; `worker` leaves out the argument of `raw`.
    type Statement;

    #[wasm_bindgen(method, catch)]
    fn raw(this: &Statement, options: &Object) -> Result<Promise, JsValue>;
}

fn parameter(value: &SqlValue) -> Result<JsValue, SqlError> {
    Ok(match value {
        SqlValue::Null => JsValue::NULL,
        SqlValue::Integer(integer) if integer.unsigned_abs() > EXACT as u64 => {
            return Err(SqlError::Rejected(format!(
                "{integer} has more than the 53 bits that D1 takes"
            )));
        }
        SqlValue::Integer(integer) => (*integer as f64).into(),
        SqlValue::Real(real) => (*real).into(),
        SqlValue::Text(text) => text.into(),
        SqlValue::Blob(bytes) => Uint8Array::from(bytes.as_slice()).buffer().into(),
    })
}

pub(super) fn value(value: &JsValue) -> SqlValue {
    if let Some(number) = value.as_f64() {
        let whole = number.fract() == 0.0 && number.abs() <= EXACT;
        return if whole {
            SqlValue::Integer(number as i64)
        } else {
            SqlValue::Real(number)
        };
    }
    if let Some(text) = value.as_string() {
        return SqlValue::Text(text);
    }
    match value.as_bool() {
        Some(truth) => SqlValue::Integer(truth.into()),
        None if value.is_null() || value.is_undefined() => SqlValue::Null,
        // bytes come as an array of numbers, or as a buffer
        None if value.is_instance_of::<ArrayBuffer>() => {
            SqlValue::Blob(Uint8Array::new(value).to_vec())
        }
        None => SqlValue::Blob(
            Array::from(value)
                .iter()
                .filter_map(|byte| Some(byte.as_f64()? as u8))
                .collect(),
        ),
    }
}

fn failed(error: &JsValue) -> SqlError {
    refused(message(error))
}

/// D1 tells kinds apart by its messages only: `SQLITE_ERROR` and its like, and a wrong number of
/// parameters, are a statement's fault.
pub(super) fn refused(message: String) -> SqlError {
    let its_fault = message.contains("SQLITE_") && !message.contains("SQLITE_BUSY")
        || message.contains("parameter bindings");
    if its_fault {
        SqlError::Rejected(message)
    } else {
        SqlError::Unavailable(message)
    }
}
