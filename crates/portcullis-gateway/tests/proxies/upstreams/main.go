// Three ways of Go: path.Clean, http.ServeMux and http.FileServer. Arguments: a port for each.
package main

import (
	"io"
	"log"
	"net/http"
	"os"
	"path"
	"testing/fstest"
)

func main() {
	clean := func(answer http.ResponseWriter, request *http.Request) {
		io.WriteString(answer, path.Clean("/"+request.URL.Path))
	}
	mux := http.NewServeMux()
	files := fstest.MapFS{}
	for _, part := range []string{"/admin/", "/public/"} {
		mux.HandleFunc(part, func(answer http.ResponseWriter, _ *http.Request) { io.WriteString(answer, part) })
		files[part[1:]+"users"] = &fstest.MapFile{Data: []byte(part)}
	}
	handlers := []http.Handler{http.HandlerFunc(clean), mux, http.FileServer(http.FS(files))}
	for at, handler := range handlers[1:] {
		go func() { log.Fatal(http.ListenAndServe("127.0.0.1:"+os.Args[at+2], handler)) }()
	}
	log.Fatal(http.ListenAndServe("127.0.0.1:"+os.Args[1], handlers[0]))
}
