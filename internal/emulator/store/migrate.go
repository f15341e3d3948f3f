package store

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
)

// Migrate brings one component's tables up to date. The steps are numbered by
// their place: those that ran before are not run again, so that a step, once
// released, must not change; new ones go to the end. All missing steps run in
// one transaction. A step may hold several statements. Errors: the folder was
// made by a newer version that has more steps.
func (d *DB) Migrate(component string, steps ...string) error {
	err := d.Update(context.Background(), func(tx *sql.Tx) error {
		var done int
		err := tx.QueryRow(`SELECT steps FROM migrations WHERE component = ?`, component).Scan(&done)
		if err != nil && !errors.Is(err, sql.ErrNoRows) {
			return err
		}
		if done > len(steps) {
			return fmt.Errorf("the folder is at step %d, this program knows %d: it was made by a newer version", done, len(steps))
		}
		for i, step := range steps[done:] {
			if _, err := tx.Exec(step); err != nil {
				return fmt.Errorf("step %d: %w", done+i+1, err)
			}
		}
		if done == len(steps) {
			return nil
		}
		_, err = tx.Exec(`INSERT INTO migrations (component, steps) VALUES (?, ?) ON CONFLICT (component) DO UPDATE SET steps = excluded.steps`, component, len(steps))
		return err
	})
	if err != nil {
		return fmt.Errorf("store: migrate %q: %w", component, err)
	}
	return nil
}
