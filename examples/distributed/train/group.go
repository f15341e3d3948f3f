package main

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"net"
	"os"
	"strconv"
	"time"
)

// group is this process's place among the others, and its connections: those
// of rank 0 lead to all others, those of the others to rank 0.
type group struct {
	rank, size int
	peers      []net.Conn // by rank at rank 0; only [0] elsewhere
}

// join finds the other processes by the variables that Azure ML sets for jobs
// with a PyTorch distribution. Outside of a job the process is alone.
func join(ctx context.Context) (*group, error) {
	g := &group{size: 1}
	var err error
	for name, to := range map[string]*int{"RANK": &g.rank, "WORLD_SIZE": &g.size} {
		if v := os.Getenv(name); v != "" {
			if *to, err = strconv.Atoi(v); err != nil {
				return nil, fmt.Errorf("%s: %w", name, err)
			}
		}
	}
	if g.size == 1 {
		return g, nil
	}
	address := net.JoinHostPort(os.Getenv("MASTER_ADDR"), os.Getenv("MASTER_PORT"))
	if g.rank == 0 {
		return g, g.gather(ctx, address)
	}
	return g, g.reach(ctx, address)
}

// gather takes the calls of all others.
func (g *group) gather(ctx context.Context, address string) error {
	l, err := (&net.ListenConfig{}).Listen(ctx, "tcp", address)
	if err != nil {
		return err
	}
	defer l.Close()
	stop := context.AfterFunc(ctx, func() { l.Close() })
	defer stop()
	g.peers = make([]net.Conn, g.size)
	for range g.size - 1 {
		c, err := l.Accept()
		if err != nil {
			return errors.Join(context.Cause(ctx), err)
		}
		var rank uint32
		if err := binary.Read(c, binary.LittleEndian, &rank); err != nil {
			return err
		}
		if rank == 0 || int(rank) >= g.size || g.peers[rank] != nil {
			return fmt.Errorf("a process says that its rank is %d of %d", rank, g.size)
		}
		g.peers[rank] = c
	}
	return nil
}

// reach calls rank 0, which may not listen yet.
func (g *group) reach(ctx context.Context, address string) error {
	for {
		c, err := (&net.Dialer{}).DialContext(ctx, "tcp", address)
		if err == nil {
			g.peers = []net.Conn{c}
			return binary.Write(c, binary.LittleEndian, uint32(g.rank))
		}
		select {
		case <-ctx.Done():
			return errors.Join(context.Cause(ctx), err)
		case <-time.After(50 * time.Millisecond):
		}
	}
}

// sum adds the processes' values up, in the order of their ranks, and gives the
// sums to all of them.
func (g *group) sum(values []float64) error {
	if g.rank > 0 {
		if err := binary.Write(g.peers[0], binary.LittleEndian, values); err != nil {
			return err
		}
		return binary.Read(g.peers[0], binary.LittleEndian, values)
	}
	part := make([]float64, len(values))
	for rank := 1; rank < g.size; rank++ {
		if err := binary.Read(g.peers[rank], binary.LittleEndian, part); err != nil {
			return fmt.Errorf("rank %d: %w", rank, err)
		}
		for i, v := range part {
			values[i] += v
		}
	}
	for rank := 1; rank < g.size; rank++ {
		if err := binary.Write(g.peers[rank], binary.LittleEndian, values); err != nil {
			return fmt.Errorf("rank %d: %w", rank, err)
		}
	}
	return nil
}

func (g *group) close() error {
	var errs []error
	for _, c := range g.peers {
		if c != nil {
			errs = append(errs, c.Close())
		}
	}
	return errors.Join(errs...)
}
