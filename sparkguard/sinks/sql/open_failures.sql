-- What is broken now: checks whose last committed row, skipped ones apart, is fail or error; and since when.
SELECT l.suite, l.check_id, l.dataset, l.subject_kind, l.subject, l.slice_key, l.slice_value, l.status, l.severity,
       l.message, l.remedy, l.owner, l.run_date, l.run_id, l.result_id,
       coalesce(min(h.run_date), l.run_date) AS failing_since, count(h.run_id) AS failing_runs
FROM (
  SELECT *
  FROM (
    SELECT c.*,
           row_number() OVER (
             PARTITION BY c.suite, c.check_id, c.subject_kind, c.subject, c.slice_key, c.slice_value
             ORDER BY c.run_date DESC, r.started_at DESC
           ) AS recency,
           max(CASE WHEN c.status NOT IN ('fail', 'error') THEN c.run_date END) OVER (
             PARTITION BY c.suite, c.check_id, c.subject_kind, c.subject, c.slice_key, c.slice_value
           ) AS last_good
    FROM delta.`${results}/check_results` c
    JOIN delta.`${results}/runs` r ON r.suite = c.suite AND r.run_id = c.run_id AND r.attempt = c.attempt
    WHERE c.status <> 'skipped'
  ) AS ranked
  WHERE recency = 1 AND status IN ('fail', 'error')
) AS l
LEFT JOIN (
  SELECT c.*
  FROM delta.`${results}/check_results` c
  JOIN delta.`${results}/runs` r ON r.suite = c.suite AND r.run_id = c.run_id AND r.attempt = c.attempt
  WHERE c.status IN ('fail', 'error')
) AS h
  ON h.suite = l.suite AND h.check_id = l.check_id AND h.subject_kind = l.subject_kind AND h.subject = l.subject
 AND h.slice_key <=> l.slice_key AND h.slice_value <=> l.slice_value
 AND (l.last_good IS NULL OR h.run_date > l.last_good)
GROUP BY ALL
