-- The last committed run of each check: one row for each suite, check, subject and slice.
SELECT suite, check_id, check_type, dataset, subject_kind, subject, slice_key, slice_value, status, severity,
       transition, message, remedy, owner, tags, metric_name, observed, comparison, warn_bound, error_bound,
       evaluated_rows, violation_rows, violation_rate, run_date, run_id, result_id, created_at
FROM (
  SELECT c.*,
         row_number() OVER (
           PARTITION BY c.suite, c.check_id, c.subject_kind, c.subject, c.slice_key, c.slice_value
           ORDER BY c.run_date DESC, r.started_at DESC
         ) AS recency
  FROM delta.`${results}/check_results` c
  JOIN delta.`${results}/runs` r ON r.suite = c.suite AND r.run_id = c.run_id AND r.attempt = c.attempt
  WHERE c.status <> 'skipped' OR r.selection IS NULL
) AS ranked
WHERE recency = 1
