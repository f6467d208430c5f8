//! nginx's symbols for the program of the unit tests, which runs without nginx and uses none of them.

macro_rules! absent {
    ($($name:ident)+) => {
        $(
            // SAFETY: no other symbol of the program has this name.
            #[unsafe(no_mangle)]
            static $name: usize = 0;
        )+
    };
}

absent!(
    ngx_add_channel_event
    ngx_array_push
    ngx_conf_full_name
    ngx_conf_log_error
    ngx_current_msec
    ngx_cycle
    ngx_event_timer_rbtree
    ngx_handle_read_event
    ngx_handle_write_event
    ngx_hash_strlow
    ngx_http_add_variable
    ngx_http_block_reading
    ngx_http_core_module
    ngx_http_core_run_phases
    ngx_http_finalize_request
    ngx_http_get_variable
    ngx_http_module
    ngx_http_run_posted_requests
    ngx_http_send_response
    ngx_http_test_reading
    ngx_list_push
    ngx_log_error_core
    ngx_palloc
    ngx_pnalloc
    ngx_pool_cleanup_add
    ngx_posted_events
    ngx_process
    ngx_rbtree_delete
    ngx_rbtree_insert
    ngx_shared_memory_add
    ngx_slab_calloc
    ngx_worker
);
