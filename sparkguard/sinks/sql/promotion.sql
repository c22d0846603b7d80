-- May what depends on a suite go on? Runs of the whole suite only: one row for each suite and run date: its last attempt's verdict.
SELECT suite, environment, run_date, run_id, attempt, status, exit_code, exit_code = 0 AS may_promote,
       checks_failed, checks_errored, checks_skipped, checks_warned, started_at, ended_at
FROM (
  SELECT r.*, row_number() OVER (PARTITION BY r.suite, r.run_date ORDER BY r.started_at DESC, r.attempt DESC) AS recency
  FROM delta.`${results}/runs` r
  WHERE r.selection IS NULL
) AS ranked
WHERE recency = 1
