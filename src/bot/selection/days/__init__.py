"""Days that a judgement works on: cut into blocks and pieces, drawn anew, their returns as whole numbers."""
