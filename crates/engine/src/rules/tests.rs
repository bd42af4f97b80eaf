//! Rules in the engine.
