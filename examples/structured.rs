//! Arguments with bounds and defaults, a result that programs can read, and a failure that the
//! model can act on.
//!
//! ```sh
//! cargo run -p mcpfn-examples --example structured -- \
//!     call convert '{"amount": 20, "from": "celsius", "to": "fahrenheit"}'
//! cargo run -p mcpfn-examples --example structured -- \
//!     call convert '{"amount": -300, "from": "celsius"}'
//! ```

use mcpfn::prelude::*;

#[input]
struct Convert {
    /// The temperature to convert.
    #[schemars(range(min = -1000.0, max = 1_000_000.0))]
    amount: f64,
    /// The unit of `amount`.
    from: Unit,
    /// The unit of the result; kelvin if it is left out.
    #[serde(default)]
    to: Unit,
}

#[input]
#[derive(Clone, Copy, Default)]
#[serde(rename_all = "lowercase")]
enum Unit {
    Celsius,
    Fahrenheit,
    #[default]
    Kelvin,
}

#[output]
struct Converted {
    /// The converted temperature.
    amount: f64,
    /// Whether water is frozen at it, at sea level.
    freezing: bool,
}

/// Converts a temperature between units.
#[tool(read_only, open_world = false)]
async fn convert(args: Convert) -> Result<Converted, ToolError> {
    let kelvin = match args.from {
        Unit::Celsius => args.amount + 273.15,
        Unit::Fahrenheit => (args.amount + 459.67) * 5.0 / 9.0,
        Unit::Kelvin => args.amount,
    };
    if kelvin < 0.0 {
        // the model reads this sentence: it says what to change
        return Err(ToolError::new(
            "nothing is colder than -273.15 degrees Celsius; give a higher `amount`",
        ));
    }
    let amount = match args.to {
        Unit::Celsius => kelvin - 273.15,
        Unit::Fahrenheit => kelvin * 9.0 / 5.0 - 459.67,
        Unit::Kelvin => kelvin,
    };
    Ok(Converted {
        amount: (amount * 100.0).round() / 100.0,
        freezing: kelvin <= 273.15,
    })
}

pub(crate) fn server() -> Builder {
    Server::builder("thermometer", "1.0.0").tool(convert)
}

mcpfn::main!(server);
