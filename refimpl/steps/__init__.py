"""Pure steps: state and request in, state and result out; memory behind `read` and `write` of words."""
