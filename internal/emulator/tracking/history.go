package tracking

import (
	"context"
	"database/sql"
	"errors"
	"iter"

	"github.com/azureml-go/azureml/internal/emulator/tracking/points"
)

// history reads the values of one key of a run, ordered by time, step and value:
// those from offset on, limit many, all when limit is negative. more tells that
// there are others behind them.
func (s *Store) history(tx *sql.Tx, rid int64, key string, offset, limit int) (ps []points.Point, more bool, err error) {
	kid, err := s.keyID(tx, key)
	if err != nil || kid == 0 {
		return nil, false, err
	}
	fresh, err := s.tailOf(tx, rid, kid)
	if err != nil {
		return nil, false, err
	}
	segments, err := segmentsOf(tx, rid, kid)
	if err != nil {
		return nil, false, err
	}
	skipped, need := 0, offset+limit+1
	for i := 0; i < len(segments); {
		if limit >= 0 && len(ps) >= need-skipped {
			break
		}
		// A group of segments that overlap is sorted as a whole. What is fresh may
		// belong anywhere: with it nothing is skipped.
		group, last := i+1, segments[i].last
		for group < len(segments) && segments[group].first <= last {
			last = max(last, segments[group].last)
			group++
		}
		if len(fresh) == 0 && group == i+1 && skipped+segments[i].n <= offset && len(ps) == 0 {
			skipped += segments[i].n
			i = group
			continue
		}
		if len(fresh) > 0 {
			group = len(segments)
		}
		from := len(ps)
		for ; i < group; i++ {
			if ps, err = loadSegment(tx, segments[i].id, ps); err != nil {
				return nil, false, err
			}
		}
		ps = append(ps, fresh...)
		fresh = nil
		ps = append(ps[:from], points.Sort(ps[from:])...)
	}
	ps = append(ps, points.Sort(fresh)...)
	offset = min(offset-skipped, len(ps))
	ps = ps[offset:]
	if limit >= 0 && len(ps) > limit {
		return ps[:limit], true, nil
	}
	return ps, false, nil
}

// tailOf reads what the tail holds of a key.
func (s *Store) tailOf(tx *sql.Tx, rid, kid int64) (ps []points.Point, err error) {
	rows, err := tx.Query(`SELECT data FROM tracking_tail WHERE rid = ?`, rid)
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, rows.Close()) }()
	for rows.Next() {
		var data sql.RawBytes
		if err := rows.Scan(&data); err != nil {
			return nil, err
		}
		err := points.Batch(data, func(k int64, p points.Point) {
			if k == kid {
				ps = append(ps, p)
			}
		})
		if err != nil {
			return nil, err
		}
	}
	return ps, rows.Err()
}

func segmentsOf(tx *sql.Tx, rid, kid int64) (all []segment, err error) {
	rows, err := tx.Query(`SELECT id, n, first, last FROM tracking_segments WHERE rid = ? AND kid = ? ORDER BY first, last`, rid, kid)
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, rows.Close()) }()
	for rows.Next() {
		var g segment
		if err := rows.Scan(&g.id, &g.n, &g.first, &g.last); err != nil {
			return nil, err
		}
		all = append(all, g)
	}
	return all, rows.Err()
}

func loadSegment(tx *sql.Tx, id int64, ps []points.Point) ([]points.Point, error) {
	var data []byte
	if err := tx.QueryRow(`SELECT data FROM tracking_segments WHERE id = ?`, id).Scan(&data); err != nil {
		return nil, err
	}
	return points.Segment(data, ps)
}

// historyPage is how many values History reads at a time.
const historyPage = 25000

// History yields all values of a metric of a run, ordered by time, step and value.
func (s *Store) History(ctx context.Context, ws, run, key string) iter.Seq2[Metric, error] {
	return func(yield func(Metric, error) bool) {
		for offset := 0; ; offset += historyPage {
			var ps []points.Point
			var more bool
			err := s.db.View(ctx, func(tx *sql.Tx) error {
				space, err := spaceOf(tx, ws)
				if err != nil {
					return err
				}
				r, err := s.run(tx, space, run)
				if err != nil {
					return err
				}
				ps, more, err = s.history(tx, r.rid, key, offset, historyPage)
				return err
			})
			if err != nil {
				yield(Metric{}, err)
				return
			}
			for _, p := range ps {
				if !yield(metricOf(key, p), nil) {
					return
				}
			}
			if !more {
				return
			}
		}
	}
}
