package tracking

import "database/sql"

type uploads struct{}

func (s *Store) logModelMetrics(tx *sql.Tx, space int64, r *runRow, metrics []Metric) error {
	return nil
}
