-- Every number of every committed run, for trends: one row for each metric of a check and run.
SELECT m.suite, m.check_id, m.dataset, m.column_name, m.metric_name, m.slice_key, m.slice_value, m.run_date,
       m.window_start, m.window_end, m.value, m.baseline_eligible, m.run_id, r.started_at
FROM delta.`${results}/metrics` m
JOIN delta.`${results}/runs` r ON r.suite = m.suite AND r.run_id = m.run_id AND r.attempt = m.attempt
