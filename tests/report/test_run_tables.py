from woolly_mcpdiag.report import frames, run_tables


def test_intervals_add_up_to_the_run(run_samples):
    run = run_samples.failing()
    frame = frames.run_frame(run, "intervals")
    assert list(frame.columns) == list(frames.INTERVALS)
    assert frame["ok"].sum() + frame["failed"].sum() == sum(calls.tried for calls in run.tally.calls.values())
    assert len(frame) == 40 * 4


def test_calls_have_a_row_for_each_series_with_the_warm_up_apart(run_samples):
    rows = list(run_tables.call_rows(run_samples.clean()))
    assert [(row["scene"], row["ok"]) for row in rows] == [("", 1171), ("warmup", 111)]
    frame = frames.run_frame(run_samples.clean(), "calls")
    assert list(frame.columns) == list(frames.CALLS)
    assert frame["rate"].round(6).tolist() == [round(1171 / 30, 6), 37.0]


def test_a_name_that_is_a_formula_is_harmless_in_csv(run_samples):
    run = run_samples.five()
    series, calls = run.intervals[0].tally.calls.popitem()
    run.intervals[0].tally.calls[series._replace(operation="=cmd()")] = calls
    assert "'=cmd()" in frames.to_csv(frames.run_frame(run, "calls"))
