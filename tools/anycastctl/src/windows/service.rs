//! The driver's service, through the service control manager.

use netio_anycast_client::protocol::SERVICE_NAME;
use netio_anycast_client::protocol::win32::Win32Error;
use windows_service::service::{self, ServiceAccess};
use windows_service::service_manager::{ServiceManager, ServiceManagerAccess};

use crate::codes;
use crate::platform::{Service, ServiceInfo, ServiceState};

/// The driver's service on this computer.
pub(super) struct DriverService;

impl Service for DriverService {
    fn query(&self) -> Result<Option<ServiceInfo>, Win32Error> {
        let service = match open(ServiceAccess::QUERY_STATUS | ServiceAccess::QUERY_CONFIG) {
            Ok(service) => service,
            Err(codes::SERVICE_DOES_NOT_EXIST) => return Ok(None),
            Err(code) => return Err(code),
        };
        let state = match service.query_status().map_err(code)?.current_state {
            service::ServiceState::Stopped => ServiceState::Stopped,
            service::ServiceState::StartPending => ServiceState::Starting,
            service::ServiceState::StopPending => ServiceState::Stopping,
            // A driver can't be paused; whatever says so runs.
            service::ServiceState::Running
            | service::ServiceState::ContinuePending
            | service::ServiceState::PausePending
            | service::ServiceState::Paused => ServiceState::Running,
        };
        let image = service.query_config().map_err(code)?.executable_path;
        Ok(Some(ServiceInfo { state, image: image.display().to_string() }))
    }

    fn check_may_install(&self) -> Result<(), Win32Error> {
        let access = ServiceManagerAccess::CONNECT | ServiceManagerAccess::CREATE_SERVICE;
        ServiceManager::local_computer(None::<&str>, access).map(drop).map_err(code)
    }

    fn start(&self) -> Result<(), Win32Error> {
        open(ServiceAccess::START)?.start::<&str>(&[]).map_err(code)
    }

    fn stop(&self) -> Result<(), Win32Error> {
        open(ServiceAccess::STOP)?.stop().map(drop).map_err(code)
    }

    fn delete(&self) -> Result<(), Win32Error> {
        open(ServiceAccess::DELETE)?.delete().map_err(code)
    }
}

fn open(access: ServiceAccess) -> Result<service::Service, Win32Error> {
    let manager = ServiceManager::local_computer(None::<&str>, ServiceManagerAccess::CONNECT).map_err(code)?;
    manager.open_service(SERVICE_NAME, access).map_err(code)
}

/// The system's own code. The crate's other failures are values that no service control manager returns.
fn code(error: windows_service::Error) -> Win32Error {
    let code = match error {
        windows_service::Error::Winapi(error) => error.raw_os_error(),
        _ => None,
    };
    code.map_or(Win32Error::GEN_FAILURE, |code| Win32Error(code.cast_unsigned()))
}
