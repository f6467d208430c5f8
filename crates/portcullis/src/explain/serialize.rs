//! The report as data, for `--json` and consoles: names are stable, and every member is always present.

use serde::ser::{Serialize, SerializeStruct, Serializer};

use super::{Check, Explanation, Fact, words};

impl Serialize for Explanation {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let refusal = self.refusal();
        let mut report = serializer.serialize_struct("Explanation", 8)?;
        report.serialize_field("verdict", self.verdict())?;
        report.serialize_field("code", &refusal.map(|refusal| refusal.code()))?;
        report.serialize_field("reason", &refusal.map(ToString::to_string))?;
        report.serialize_field("now", &words::timestamp(self.now))?;
        report.serialize_field("vouched", &self.vouched)?;
        report.serialize_field("header", &self.header)?;
        report.serialize_field("claims", &self.claims)?;
        report.serialize_field("checks", &self.checks)?;
        report.end()
    }
}

impl Serialize for Check {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut check = serializer.serialize_struct("Check", 8)?;
        check.serialize_field("check", self.kind.name())?;
        check.serialize_field("title", self.kind.title())?;
        check.serialize_field("outcome", self.outcome.name())?;
        check.serialize_field("code", &self.code())?;
        check.serialize_field("expected", &self.expected)?;
        check.serialize_field("actual", &self.actual)?;
        check.serialize_field("reference", self.kind.reference())?;
        check.serialize_field("hint", &self.hint)?;
        check.end()
    }
}

impl Serialize for Fact {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut fact = serializer.serialize_struct("Fact", 2)?;
        fact.serialize_field("text", &self.text)?;
        fact.serialize_field("vouched", &self.vouched)?;
        fact.end()
    }
}
