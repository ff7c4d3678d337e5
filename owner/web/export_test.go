package web

// Route is a line of the route table, for tests of all of them.
type Route struct{ Method, Path string }

// Routes is the route table.
func Routes() (all []Route) {
	for _, rt := range routes() {
		all = append(all, Route{rt.method, rt.path})
	}
	return all
}
