package local

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/signal"
)

// alone serves a workspace until it is interrupted, in a process of its own
// whose memory can be looked at. It prints the address and the token.
func alone(dir string) (err error) {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	w, err := Start(ctx, &Options{Dir: dir, Computes: []Compute{{Name: "cpu-cluster", Nodes: 8}}})
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, w.Close()) }()
	u, err := w.URL()
	if err != nil {
		return err
	}
	fmt.Println(u, w.Token())
	<-ctx.Done()
	return nil
}
