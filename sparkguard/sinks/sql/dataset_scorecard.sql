-- How each dataset stands: checks by status in the last committed run that judged it.
SELECT suite, dataset, max(run_date) AS run_date,
       count(*) AS results,
       count_if(status = 'pass') AS passed,
       count_if(status = 'warn') AS warned,
       count_if(status = 'fail') AS failed,
       count_if(status = 'error') AS errored,
       count_if(status = 'skipped') AS skipped,
       count_if(status IN ('fail', 'error') AND severity = 'error') = 0
         AND count_if(status IN ('pass', 'warn')) > 0 AS healthy
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
WHERE recency = 1 AND dataset IS NOT NULL
GROUP BY suite, dataset
