package emulator

import (
	"database/sql"

	"github.com/azureml-go/azureml/internal/emulator/arm"
	"github.com/azureml-go/azureml/internal/emulator/store"
)

// defaultComponent is what azure-ai-ml's components.get(NAME) asks for: the newest
// version, by a name that stands for it.
func defaultComponent(c *call, id arm.ID) document {
	if id.Name() != arm.DefaultComponentVersion {
		return nil
	}
	var sd *store.Document
	err := c.s.db.View(c.ctx(), func(tx *sql.Tx) (err error) {
		sd, err = arm.Latest(tx, id.Parent().String())
		return err
	})
	if err != nil {
		return nil // there is none
	}
	d, err := read(sd)
	if err != nil {
		return nil
	}
	return d
}
