package execution

import (
	"encoding/json"
	"fmt"
	"net"
	"strconv"
	"strings"
	"time"

	"github.com/azureml-go/azureml/internal/emulator/arm"
)

// worker is one process of a job.
type worker struct {
	log  string // path below the run's folder
	env  []string
	node int
	// primary is the process whose end decides the job's when all others have
	// ended too; only one has no AZUREML_SECONDARY_INSTANCE.
	primary bool
	// wrap makes the worker's own command of the job's; nil leaves it as it is.
	wrap func(line string) string
	// aside workers serve the others: when those have ended they are ended, too.
	aside  bool
	linger time.Duration // how long they may go on then
}

// psLinger is how long a parameter server may go on when all workers have
// ended: it mostly serves for ever.
const psLinger = 3 * time.Second

// checkDistribution refuses what cannot be set up.
func checkDistribution(s *commandSpec) *arm.Error {
	d := s.Distribution
	if d == nil {
		return nil
	}
	switch d.Type {
	case "PyTorch", "Mpi":
		if d.ProcessCountPerInstance < 0 {
			return arm.Invalid("properties.distribution.processCountPerInstance", "must not be negative, got %d", d.ProcessCountPerInstance)
		}
	case "TensorFlow":
		if d.WorkerCount < 0 || d.ParameterServerCount < 0 {
			return arm.Invalid("properties.distribution", "workerCount and parameterServerCount must not be negative")
		}
	case "Ray":
		return d.checkRay()
	default:
		return arm.Invalid("properties.distribution.distributionType", "the local workspace sets up PyTorch, Mpi, TensorFlow and Ray, not %q", d.Type)
	}
	return nil
}

// workers plans the processes of a job and the variables that tell them apart,
// as Azure sets them. All nodes are this machine.
func workers(s *commandSpec) ([]worker, error) {
	nodes := s.nodes()
	count := func(w []worker) []worker {
		for i := range w {
			w[i].env = append(w[i].env, "AZUREML_NODE_COUNT="+strconv.Itoa(nodes))
			w[i].primary = i == 0
			if i > 0 {
				w[i].env = append(w[i].env, "AZUREML_SECONDARY_INSTANCE=1")
			}
		}
		return w
	}
	d := s.Distribution
	if d == nil {
		return count([]worker{{log: "user_logs/std_log.txt"}}), nil
	}
	if d.Type == "TensorFlow" {
		w, err := tensorflow(d, nodes)
		return count(w), err
	}
	if d.Type == "Ray" {
		w, err := rayWorkers(d, nodes)
		return count(w), err
	}
	per := max(d.ProcessCountPerInstance, 1)
	total := nodes * per
	ports, err := freePorts(1)
	if err != nil {
		return nil, err
	}
	var out []worker
	for rank := range total {
		node, local := rank/per, rank%per
		set := func(k string, v int) string { return k + "=" + strconv.Itoa(v) }
		env := []string{
			"MASTER_ADDR=127.0.0.1", set("MASTER_PORT", ports[0]), set("NODE_RANK", node),
			"AZ_BATCHAI_MPI_MASTER_NODE=127.0.0.1", set("AZUREML_PROCESS_COUNT_PER_NODE", per),
			"AZ_BATCH_HOST_LIST=" + strings.TrimSuffix(strings.Repeat("127.0.0.1,", nodes), ","),
		}
		if d.Type == "PyTorch" {
			env = append(env, set("WORLD_SIZE", total), set("RANK", rank), set("LOCAL_RANK", local), set("LOCAL_WORLD_SIZE", per))
		} else {
			env = append(env, "AZ_BATCH_MASTER_NODE=127.0.0.1:"+strconv.Itoa(ports[0]),
				set("OMPI_COMM_WORLD_SIZE", total), set("OMPI_COMM_WORLD_RANK", rank), set("OMPI_COMM_WORLD_LOCAL_RANK", local),
				set("OMPI_COMM_WORLD_LOCAL_SIZE", per), set("OMPI_COMM_WORLD_NODE_RANK", local), set("OMPI_UNIVERSE_SIZE", total))
		}
		out = append(out, worker{log: fmt.Sprintf("user_logs/std_log_process_%02d.txt", rank), env: env, node: node})
	}
	return count(out), nil
}

// tensorflow describes the cluster in TF_CONFIG. Without a count there is a
// worker on each node.
func tensorflow(d *distribution, nodes int) ([]worker, error) {
	n, ps := d.WorkerCount, d.ParameterServerCount
	if n == 0 {
		n = nodes
	}
	ports, err := freePorts(n + ps)
	if err != nil {
		return nil, err
	}
	cluster := map[string][]string{}
	for i, p := range ports {
		kind := "worker"
		if i >= n {
			kind = "ps"
		}
		cluster[kind] = append(cluster[kind], "127.0.0.1:"+strconv.Itoa(p))
	}
	var out []worker
	for i := range n + ps {
		kind, index := "worker", i
		if i >= n {
			kind, index = "ps", i-n
		}
		b, err := json.Marshal(map[string]any{"cluster": cluster, "task": map[string]any{"type": kind, "index": index}, "environment": "cloud"})
		if err != nil {
			return nil, err
		}
		out = append(out, worker{
			log: fmt.Sprintf("user_logs/std_log_%s_%02d.txt", kind, index), env: []string{"TF_CONFIG=" + string(b), "NODE_RANK=" + strconv.Itoa(i%nodes)}, node: i % nodes,
			aside: kind == "ps", linger: psLinger,
		})
	}
	return out, nil
}

// freePorts asks the system for ports nobody listens on at the moment.
func freePorts(n int) ([]int, error) {
	var out []int
	for range n {
		l, err := net.Listen("tcp", "127.0.0.1:0")
		if err != nil {
			return nil, err
		}
		defer l.Close() // all are held until all are known, so that they differ
		out = append(out, l.Addr().(*net.TCPAddr).Port)
	}
	return out, nil
}
