//! posttls-finger(1): how Postfix's own client sees a server.
//!
//! Owns: finding it and running it within a deadline. Never: reads what it says (the planner does).

use crate::command::Call;
use crate::{HostError, PostfixHost};
use std::io::ErrorKind;
use std::time::Duration;

/// More of what it prints is not kept.
const LONGEST: usize = 256 << 10;

impl PostfixHost {
    /// What posttls-finger(1) prints with these arguments; `None` where this Postfix has none.
    ///
    /// # Errors
    /// Where it cannot be run, or does not end.
    pub fn posttls_finger(
        &self,
        args: &[String],
        deadline: Duration,
    ) -> Result<Option<String>, HostError> {
        let program = self.postfix().places()?.command_directory;
        let program = program.join("posttls-finger");
        let call = Call::new(self.postfix().prefix(), &program, deadline).args(args);
        let output = match call.run() {
            Err(HostError::Spawn { source, .. }) if source.kind() == ErrorKind::NotFound => {
                return Ok(None);
            }
            ended => ended?,
        };
        let mut bytes = [output.stderr, output.stdout].concat();
        bytes.truncate(LONGEST);
        Ok(Some(String::from_utf8_lossy(&bytes).into_owned()))
    }
}
