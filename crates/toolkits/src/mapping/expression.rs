//! What one column of a toolkit's table is in SQL, by what is needed and what the operator's column
//! holds. Constants never stand in the text.

use mcpfn_ports::{Dialect, SqlValue};

use super::keys::Keys;
use super::members::MistakesFound;
use super::moment::Moments;
use super::needs::{Need, NeedKind};
use super::says::{ColumnSource, Condition, Constant, Factor, Multiplied, TableMap, Test};
use super::scope::{Class, KnownColumn, Scope};

/// Stands around a constant's number in a query. No name has it.
pub(super) const MARK: char = '\u{1}';

/// Makes expressions, and collects their constants.
pub(super) struct Expressions<'a> {
    dialect: Dialect,
    constants: &'a mut Vec<SqlValue>,
    keys: &'a mut Keys,
}

impl<'a> Expressions<'a> {
    pub(super) fn new(
        dialect: Dialect,
        constants: &'a mut Vec<SqlValue>,
        keys: &'a mut Keys,
    ) -> Self {
        Self {
            dialect,
            constants,
            keys,
        }
    }

    pub(super) fn dialect(&self) -> Dialect {
        self.dialect
    }

    fn is_postgres(&self) -> bool {
        self.dialect == Dialect::Postgres
    }

    /// A constant's place in a query. Equal ones share it.
    fn constant(&mut self, value: SqlValue) -> String {
        let kind = match value {
            SqlValue::Integer(_) => "BIGINT",
            SqlValue::Real(_) => "DOUBLE PRECISION",
            _ => "TEXT",
        };
        let known = self.constants.iter().position(|known| *known == value);
        let at = known.unwrap_or_else(|| {
            self.constants.push(value);
            self.constants.len() - 1
        });
        format!("CAST({MARK}{at}{MARK} AS {kind})")
    }

    /// One column.
    pub(super) fn column(
        &mut self,
        map: &TableMap,
        need: &'static Need,
        source: &ColumnSource,
        scope: Option<&Scope<'_>>,
        found: &mut MistakesFound,
    ) -> Option<String> {
        let place = format!("{}.columns.{}", map.relation.name, need.name);
        if let ColumnSource::Value(value) = source {
            return self.value(need, value, &place, found);
        }
        let scope = scope?;
        match source {
            ColumnSource::Value(_) => None,
            ColumnSource::Column(name) => {
                let known = scope.find(name, false, &place, found)?;
                self.plain(need, &known, &place, found)
            }
            ColumnSource::Since1970 {
                column,
                milliseconds,
            } => {
                let known = scope.find(column, false, &place, found)?;
                let moments = Moments::new(self.dialect, need.kind);
                let sql = moments.since_1970(&known, *milliseconds, &place, found)?;
                Some(or_empty(&sql, need.kind != NeedKind::DayOrNull))
            }
            ColumnSource::Values {
                column,
                values,
                null,
                other,
            } => {
                let known = scope.find(column, false, &place, found)?;
                self.values(
                    &known,
                    values,
                    null.as_deref(),
                    other.as_deref(),
                    &place,
                    found,
                )
            }
            ColumnSource::Text(names) => {
                let mut parts = Vec::new();
                for name in names {
                    let known = scope.find(name, false, &place, found)?;
                    let text = self.text(&known, &place, found)?;
                    parts.push(format!("coalesce({text}, '')"));
                }
                Some(format!("trim({})", parts.join(" || ' ' || ")))
            }
            ColumnSource::Multiplied(product) => self.product(product, scope, &place, found),
        }
    }

    fn value(
        &mut self,
        need: &Need,
        value: &Constant,
        place: &str,
        found: &mut MistakesFound,
    ) -> Option<String> {
        let value = match value {
            Constant::Whole(number) => SqlValue::Integer(*number),
            Constant::Text(text) => SqlValue::from(text.as_str()),
            // what was read has no other constant here
            Constant::Null | Constant::Switch(_) | Constant::Real(_) => return None,
        };
        if let NeedKind::Key(group) = need.kind {
            let class = match value {
                SqlValue::Integer(_) => Class::Integer,
                _ => Class::Text,
            };
            self.keys.note(group, class, place, found);
        }
        Some(self.constant(value))
    }

    fn plain(
        &mut self,
        need: &Need,
        known: &KnownColumn<'_>,
        place: &str,
        found: &mut MistakesFound,
    ) -> Option<String> {
        match need.kind {
            NeedKind::TextKey => self.text(known, place, found),
            NeedKind::Key(group) => {
                let (sql, class) = match known.class {
                    Class::Integer => (known.sql.clone(), Class::Integer),
                    Class::Number => (format!("CAST({} AS BIGINT)", known.sql), Class::Integer),
                    _ => (self.text(known, place, found)?, Class::Text),
                };
                self.keys.note(group, class, place, found);
                Some(sql)
            }
            NeedKind::NumberKey => {
                let wanted = "a whole number (a view of your database can give rows numbers)";
                self.number(known, wanted, place, found)
            }
            NeedKind::Text | NeedKind::Word(_) => {
                let text = self.text(known, place, found)?;
                Some(or_empty(&text, known.nullable))
            }
            NeedKind::Whole => {
                let sql = self.number(known, "a number", place, found)?;
                Some(match known.nullable {
                    true => format!("coalesce({sql}, 0)"),
                    false => sql,
                })
            }
            NeedKind::Day | NeedKind::DayOrNull | NeedKind::Moment => {
                let sql = Moments::new(self.dialect, need.kind).of(known, place, found)?;
                // a text that is no date gives none
                Some(or_empty(&sql, need.kind != NeedKind::DayOrNull))
            }
        }
    }

    fn text(
        &self,
        known: &KnownColumn<'_>,
        place: &str,
        found: &mut MistakesFound,
    ) -> Option<String> {
        match known.class {
            Class::Text => Some(known.sql.clone()),
            Class::Bytes => {
                found.add(place, known.mistyped("text"));
                None
            }
            _ => Some(format!("CAST({} AS TEXT)", known.sql)),
        }
    }

    fn number(
        &self,
        known: &KnownColumn<'_>,
        wanted: &str,
        place: &str,
        found: &mut MistakesFound,
    ) -> Option<String> {
        match known.class {
            Class::Integer => Some(known.sql.clone()),
            Class::Number | Class::Any => Some(format!("CAST(round({}) AS BIGINT)", known.sql)),
            _ => {
                found.add(place, known.mistyped(wanted));
                None
            }
        }
    }

    fn values(
        &mut self,
        known: &KnownColumn<'_>,
        values: &[(String, String)],
        null: Option<&str>,
        other: Option<&str>,
        place: &str,
        found: &mut MistakesFound,
    ) -> Option<String> {
        let text = self.text(known, place, found)?;
        let mut cases = String::new();
        if let Some(null) = null {
            let null = self.constant(null.into());
            cases.push_str(&format!(" WHEN {} IS NULL THEN {null}", known.sql));
        }
        for (own, meant) in values {
            let own = self.constant(own.as_str().into());
            let meant = self.constant(meant.as_str().into());
            cases.push_str(&format!(" WHEN {text} = {own} THEN {meant}"));
        }
        let other = match other {
            Some(other) => self.constant(other.into()),
            None => text,
        };
        let sql = match cases.is_empty() {
            true => other,
            false => format!("CASE{cases} ELSE {other} END"),
        };
        Some(or_empty(&sql, known.nullable))
    }

    fn product(
        &mut self,
        product: &Multiplied,
        scope: &Scope<'_>,
        place: &str,
        found: &mut MistakesFound,
    ) -> Option<String> {
        let mut factors = vec![self.factor(&product.column, product.sum, scope, place, found)];
        for factor in &product.times {
            factors.push(match factor {
                Factor::Number(number) => Some(number.to_string()),
                Factor::Column(name) => self.factor(name, product.sum, scope, place, found),
            });
        }
        if let Some(less) = &product.less {
            let less = self.factor(less, product.sum, scope, place, found);
            factors.push(less.map(|less| format!("(1 - {less})")));
        }
        let factors: Option<Vec<String>> = factors.into_iter().collect();
        let mut sql = factors?.join(" * ");
        if product.sum {
            let alias = product.column.split_once('.').map(|(alias, _)| alias);
            let Some((from, equal)) = alias.and_then(|alias| scope.summed(alias, found)) else {
                found.add(
                    place,
                    "`sum` must be a column of a join, such as \"lines.Quantity\"",
                );
                return None;
            };
            sql = format!("(SELECT sum({sql}) FROM {from} WHERE {equal})");
        }
        Some(format!("CAST(round(coalesce({sql}, 0)) AS BIGINT)"))
    }

    fn factor(
        &self,
        name: &str,
        summed: bool,
        scope: &Scope<'_>,
        place: &str,
        found: &mut MistakesFound,
    ) -> Option<String> {
        let known = scope.find(name, summed, place, found)?;
        if !matches!(known.class, Class::Integer | Class::Number | Class::Any) {
            found.add(place, known.mistyped("a number"));
            return None;
        }
        Some(match self.is_postgres() {
            // small types overflow
            true => format!("CAST({} AS NUMERIC)", known.sql),
            false => known.sql,
        })
    }

    /// A condition of `where`.
    pub(super) fn condition(
        &mut self,
        map: &TableMap,
        condition: &Condition,
        scope: &Scope<'_>,
        found: &mut MistakesFound,
    ) -> Option<String> {
        let place = format!("{}.where", map.relation.name);
        let known = scope.find(&condition.column, false, &place, found)?;
        let sql = &known.sql;
        let value = match (&condition.value, known.class) {
            (Constant::Null, _) => {
                let not = if condition.test == Test::Is {
                    ""
                } else {
                    "NOT "
                };
                return Some(format!("{sql} IS {not}NULL"));
            }
            (Constant::Whole(_) | Constant::Real(_), Class::Text | Class::Other | Class::Bytes) => {
                found.add(&place, known.mistyped("a number"));
                return None;
            }
            (Constant::Text(_), Class::Integer | Class::Number | Class::Switch | Class::Bytes) => {
                found.add(&place, known.mistyped("text"));
                return None;
            }
            (Constant::Switch(on), Class::Switch | Class::Integer | Class::Any) => {
                let number = self.constant(SqlValue::Integer((*on).into()));
                match self.is_postgres() && known.class == Class::Switch {
                    true => format!("({number} = 1)"),
                    false => number,
                }
            }
            (Constant::Switch(_), _) => {
                found.add(&place, known.mistyped("true or false"));
                return None;
            }
            (Constant::Whole(number), _) => self.constant(SqlValue::Integer(*number)),
            (Constant::Real(number), _) => self.constant(SqlValue::Real(*number)),
            (Constant::Text(text), Class::Day | Class::Moment { .. }) if self.is_postgres() => {
                let text = self.constant(text.as_str().into());
                format!("CAST({text} AS {})", known.column.declared)
            }
            (Constant::Text(text), _) => self.constant(text.as_str().into()),
        };
        let sql = match known.class {
            Class::Other => format!("CAST({sql} AS TEXT)"),
            _ => sql.clone(),
        };
        Some(match condition.test {
            Test::Is => format!("{sql} = {value}"),
            Test::IsNot => format!("({sql} <> {value} OR {sql} IS NULL)"),
            Test::Above => format!("{sql} > {value}"),
            Test::Below => format!("{sql} < {value}"),
        })
    }
}

fn or_empty(sql: &str, nullable: bool) -> String {
    match nullable {
        true => format!("coalesce({sql}, '')"),
        false => sql.to_owned(),
    }
}
