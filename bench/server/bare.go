package main

import (
	"net/http"
	"strconv"
)

// bareAnswer has the size of a small introspection answer.
const bareAnswer = `{"active":true,"token_type":"Bearer","client_id":"app","iss":"http://127.0.0.1:8443","exp":1893456000,"iat":1893452400,"permissions":[{"resource_id":"0123456789abcdefghijklmnopqrstuvwxyz","resource_scopes":["view"]}]}`

// bareMux is the yardstick: the same server and the same router, no middleware,
// a form that is parsed, and a fixed JSON answer. No endpoint can cost less.
func bareMux() http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("POST /bench/bare", func(w http.ResponseWriter, r *http.Request) {
		if err := r.ParseForm(); err != nil || r.PostForm.Get("token") == "" {
			http.Error(w, "no token", http.StatusBadRequest)
			return
		}
		h := w.Header()
		h.Set("Content-Type", "application/json")
		h.Set("Content-Length", strconv.Itoa(len(bareAnswer)))
		_, _ = w.Write([]byte(bareAnswer)) // a caller that is gone cannot be told
	})
	return mux
}
