"""Pure decisions: functions of values that touch neither the state nor the disk."""
