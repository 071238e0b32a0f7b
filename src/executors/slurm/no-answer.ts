/** What Slurm's commands say if the controller cannot be reached, or is too busy; also a pattern of bash. */
export const noAnswer =
  /unable to contact|socket timed out|connection (refused|timed out|failure|reset)|not responding|zero bytes were transmitted|communication (connection|error)|resource temporarily unavailable|slurmctld.*(down|standby)|in standby mode|protocol authentication error|unexpected message received|failed to fetch config|slurm_persist_conn_open|try again later/i;
