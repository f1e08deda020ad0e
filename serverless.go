package rediscache

// Serverless says whether the process may be frozen, or get no CPU time, between two requests.
type Serverless uint8

const (
	// ServerlessAuto is ServerlessOn where the environment shows AWS Lambda (and what is built on it), Google Cloud Run and
	// Cloud Run functions, Azure Functions, or Vercel, and ServerlessOff elsewhere.
	ServerlessAuto Serverless = iota
	// ServerlessOn leaves no work for after a statement: an answer is stored before the statement that read it returns, which
	// costs it one more exchange with Redis; what Redis could not be told of a write, it is told when the next statement
	// begins; the catalog is read again by the statement that finds it old. The client that the plugin makes has at most 4
	// connections to a server, closes one that was idle for 5 s before it is used again, and gives a connection no longer
	// to be made than Timeout.
	ServerlessOn
	// ServerlessOff does such work in the background.
	ServerlessOff
)

// in reports whether the process is to be taken for a serverless one.
func (s Serverless) in(getenv func(string) string) bool {
	if s != ServerlessAuto {
		return s == ServerlessOn
	}
	for _, name := range []string{
		"AWS_LAMBDA_FUNCTION_NAME", // AWS Lambda
		"K_SERVICE",                // Cloud Run, Knative
		"FUNCTION_TARGET",          // Cloud Run functions
		"FUNCTIONS_WORKER_RUNTIME", // Azure Functions
		"VERCEL",
	} {
		if getenv(name) != "" {
			return true
		}
	}
	return false
}
